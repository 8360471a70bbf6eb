/// The logistic function, 1 / (1 + exp(-x)).
package struct Sigmoid: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("Sigmoid")]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { ScalarFunction.logistic(x) }
    package func derivative<Real: ReferenceReal>(_ y: Real) -> Real { y * (1 - y) }
    package var derivativeTakesOutput: Bool { true }

    package var function: EpilogueStep? { .function(.logistic, alpha: 0, beta: 0) }
}

extension Sigmoid: BoundedSlope {
    package var largestSlope: Double { 0.25 }
}
