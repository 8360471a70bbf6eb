/// Where exactly one of two truth values is true, broadcast to each other.
package struct Xor: BinaryPredicate {
    package static let schemas = [OperatorSchema("Xor", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func holds(_ left: Bool, _ right: Bool) -> Bool? { left != right }
}
