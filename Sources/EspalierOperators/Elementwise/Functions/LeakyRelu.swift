/// Rectified linear unit with a slope below zero: x, or alpha x where x < 0.
package struct LeakyRelu: UnaryElementwise, Epilogue {
    package static let schemas = [OperatorSchema("LeakyRelu")]

    let alpha: Float

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        alpha = try attributes.float("alpha", default: 0.01)
    }

    package func value<Real: ReferenceReal>(_ x: Real) -> Real { x < 0 ? Real(alpha) * x : x }
    package func derivative<Real: ReferenceReal>(_ argument: Real) -> Real { argument > 0 ? 1 : Real(alpha) }
    /// A slope that is negative loses the sign.
    package var derivativeTakesOutput: Bool { alpha >= 0 }

    package var function: EpilogueStep? { .function(.relu, alpha: alpha, beta: 0) }
}

extension LeakyRelu: BoundedSlope {
    package var largestSlope: Double { max(1, Double(alpha.magnitude)) }
}

extension LeakyRelu: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        guard (0...1).contains(alpha) else {
            throw .unsupported("a slope of \(alpha) below zero, where it should be from 0 to 1")
        }
        return .slopes(belowZero: alpha)
    }
}
