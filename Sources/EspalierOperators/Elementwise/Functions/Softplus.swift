/// ln(1 + exp x).
package struct Softplus: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Softplus")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { ScalarFunction.softPlus(x) }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real { ScalarFunction.logistic(x) }

    package var function: EpilogueStep? { .function(.softPlus, alpha: 1, beta: 0) }
}

extension Softplus: BoundedSlope {
    package var largestSlope: Double { 1 }
}
