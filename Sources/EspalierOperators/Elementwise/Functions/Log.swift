/// The natural logarithm.
package struct Log: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Log")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { .log(x) }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { 1 / x }

    package var function: EpilogueStep? { .function(.log, alpha: 0, beta: 0) }
}
