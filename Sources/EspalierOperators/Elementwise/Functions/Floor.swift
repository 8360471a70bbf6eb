/// The largest integer that is not above the element.
package struct Floor: UnaryElementwise {
    package static let schemas = [OperatorSchema("Floor")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x.rounded(.down) }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { 0 }
}
