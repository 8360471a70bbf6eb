/// 1 / x.
package struct Reciprocal: UnaryElementwise {
    package static let schemas = [OperatorSchema("Reciprocal")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { 1 / x }
    package func derivative<Real: ReferenceReal>(_ y: Real) -> Real { -y * y }
    package var derivativeTakesOutput: Bool { true }
}
