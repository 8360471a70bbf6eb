/// Where both truth values are true, broadcast to each other.
package struct And: BinaryPredicate {
    package static let schemas = [OperatorSchema("And", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func holds(_ left: Bool, _ right: Bool) -> Bool? { left && right }
}
