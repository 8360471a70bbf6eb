/// Where two values are equal, broadcast to each other.
package struct Equal: BinaryPredicate {
    package static let schemas = [OperatorSchema("Equal", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func holds<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Bool? { left == right }
    package func holds<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Bool? { left == right }
    package func holds(_ left: Bool, _ right: Bool) -> Bool? { left == right }
}
