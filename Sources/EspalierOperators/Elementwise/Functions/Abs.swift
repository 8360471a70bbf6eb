/// The absolute value.
package struct Abs: IntegerElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Abs")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x.magnitude }
    package func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { x < 0 ? 0 &- x : x }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { x > 0 ? 1 : x < 0 ? -1 : 0 }

    package var function: EpilogueStep? { .function(.abs, alpha: 0, beta: 0) }
}

extension Abs: BoundedSlope {
    package var largestSlope: Double { 1 }
}
