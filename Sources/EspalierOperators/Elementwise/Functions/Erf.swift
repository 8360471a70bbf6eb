import EspalierKernels

/// The error function.
package struct Erf: UnaryElementwise {
    package static let schemas = [OperatorSchema("Erf", since: 9)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { .erf(x) }
    package func values(
        _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, count: Int
    ) {
        ErrorFunction.apply(to: input, into: output, count: count)
    }

    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real {
        2 / Real.pi.squareRoot() * .exp(-x * x)
    }
}

extension Erf: BoundedSlope {
    /// That at 0.
    package var largestSlope: Double { 2 / Double.pi.squareRoot() }
}
