/// The hyperbolic tangent.
package struct Tanh: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Tanh")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { .tanh(x) }
    package func derivative<Real: ReferenceReal>(_ y: Real) -> Real { 1 - y * y }
    package var derivativeTakesOutput: Bool { true }

    package var function: EpilogueStep? { .function(.tanh, alpha: 0, beta: 0) }
}

extension Tanh: BoundedSlope {
    package var largestSlope: Double { 1 }
}
