/// -1, 0 or 1, as the element is negative, zero or positive.
package struct Sign: IntegerElementwise {
    package static let schemas = [OperatorSchema("Sign", since: 9)]

    package init(_ attributes: AttributeReader) {}

    // Not-a-number stays what it is.
    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x > 0 ? 1 : x < 0 ? -1 : x }
    package func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { x.signum() }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { 0 }
}
