/// The nearest integer, and of two the even one.
package struct Round: UnaryElementwise {
    package static let schemas = [OperatorSchema("Round", since: 11)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x.rounded(.toNearestOrEven) }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { 0 }
}
