/// Where the first value is less than the second, broadcast to each other.
package struct Less: BinaryPredicate {
    package static let schemas = [OperatorSchema("Less", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func holds<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Bool? { left < right }
    package func holds<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Bool? { left < right }
}
