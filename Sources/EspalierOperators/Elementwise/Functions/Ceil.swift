/// The smallest integer that is not below the element.
package struct Ceil: UnaryElementwise {
    package static let schemas = [OperatorSchema("Ceil")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x.rounded(.up) }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { 0 }
}
