/// The square root.
package struct Sqrt: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Sqrt")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x.squareRoot() }
    package func derivative<Real: ReferenceReal>(_ y: Real) -> Real { 1 / (2 * y) }
    package var derivativeTakesOutput: Bool { true }

    package var function: EpilogueStep? { .function(.squareRoot, alpha: 0, beta: 0) }
}
