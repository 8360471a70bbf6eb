/// The exponential function.
package struct Exp: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Exp")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { .exp(x) }
    package func derivative<Real: ReferenceReal>(_ y: Real) -> Real { y }
    package var derivativeTakesOutput: Bool { true }

    package var function: EpilogueStep? { .function(.exp, alpha: 0, beta: 0) }
}
