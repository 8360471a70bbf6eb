/// The logistic function in straight lines: alpha x + beta, clamped to 0...1.
package struct HardSigmoid: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("HardSigmoid")]

    let alpha: Float
    let beta: Float

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        alpha = try attributes.float("alpha", default: 0.2)
        beta = try attributes.float("beta", default: 0.5)
    }

    package func value<Real: ReferenceReal>(_ x: Real) -> Real {
        ScalarFunction.clamp(Real(alpha) * x + Real(beta), 0, 1)
    }
    package func derivative<Real: ReferenceReal>(_ x: Real) -> Real {
        let line = Real(alpha) * x + Real(beta)
        return line > 0 && line < 1 ? Real(alpha) : 0
    }

    package var function: EpilogueStep? { .function(.hardSigmoid, alpha: alpha, beta: beta) }
}

extension HardSigmoid: BoundedSlope {
    package var largestSlope: Double { Double(alpha.magnitude) }
}
