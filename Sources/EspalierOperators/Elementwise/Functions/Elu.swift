/// Exponential linear unit: x, or alpha (exp x - 1) where x < 0 (Clevert et al. 2016).
package struct Elu: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Elu")]

    let alpha: Float

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        alpha = try attributes.float("alpha", default: 1)
    }

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x < 0 ? Real(alpha) * .expMinusOne(x) : x }
    package func derivative<Real: ReferenceReal>(_ argument: Real) -> Real {
        if argument > 0 { return 1 }
        return derivativeTakesOutput ? argument + Real(alpha) : Real(alpha) * .exp(argument)
    }
    /// A slope that is negative loses the sign.
    package var derivativeTakesOutput: Bool { alpha >= 0 }

    package var function: EpilogueStep? { .function(.elu, alpha: alpha, beta: 0) }
}

extension Elu: BoundedSlope {
    package var largestSlope: Double { max(1, Double(alpha.magnitude)) }
}
