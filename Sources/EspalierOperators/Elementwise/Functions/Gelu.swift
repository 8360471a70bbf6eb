/// x times the probability that a standard normal variable is below x (Hendrycks & Gimpel 2016), exactly or by its
/// approximation with tanh.
package struct Gelu: UnaryElementwise, Epilogue {
    package static let schemas = [
        OperatorSchema("Gelu", since: 20), OperatorSchema("Gelu", domain: "com.microsoft"),
    ]

    let approximates: Bool

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        let approximation = try attributes.string("approximate", default: "none")
        switch approximation {
        case "none": approximates = false
        case "tanh": approximates = true
        default: throw .attribute("approximate", problem: "unknown kind '\(approximation)'")
        }
    }

    package func value<Real: ReferenceReal>(_ x: Real) -> Real {
        approximates
            ? ScalarFunction.geluTanh.value(x, alpha: 0, beta: 0)
            : ScalarFunction.gelu.value(x, alpha: 0, beta: 0)
    }

    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real {
        if approximates {
            let scale = (2 / Real.pi).squareRoot()
            let tangent = Real.tanh(scale * (x + 0.044715 * x * x * x))
            let slope = scale * (1 + 3 * 0.044715 * x * x)
            return (1 + tangent + x * (1 - tangent * tangent) * slope) / 2
        }
        let density = Real.exp(-x * x / 2) / (2 * Real.pi).squareRoot()
        return (1 + .erf(x / Real(2).squareRoot())) / 2 + x * density
    }

    package var function: EpilogueStep? { .function(approximates ? .geluTanh : .gelu, alpha: 0, beta: 0) }
}

extension Gelu: BoundedSlope {
    /// That near the root of 2, rounded up.
    package var largestSlope: Double { approximates ? 1.128_993_07 : 1.128_904_15 }
}
