/// x times the hard sigmoid of slope 1/6 (Howard et al. 2019).
package struct HardSwish: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("HardSwish", since: 14)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x * ScalarFunction.clamp(x / 6 + 0.5, 0, 1) }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5 }

    package var function: EpilogueStep? { .function(.hardSwish, alpha: 1 / 6, beta: 0.5) }
}

extension HardSwish: BoundedSlope {
    /// That just below 3.
    package var largestSlope: Double { 1.5 }
}
