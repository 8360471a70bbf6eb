/// Where the first value is at least the second, broadcast to each other.
package struct GreaterOrEqual: BinaryPredicate {
    package static let schemas = [OperatorSchema("GreaterOrEqual", since: 12)]

    package init(_ attributes: AttributeReader) {}

    package func holds<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Bool? { left >= right }
    package func holds<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Bool? { left >= right }
}
