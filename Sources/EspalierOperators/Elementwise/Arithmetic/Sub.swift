import EspalierTensors

/// The difference of two values, broadcast to each other.
package struct Sub: BinaryElementwise, Epilogue, ChannelAffine {
    package static let schemas = [OperatorSchema("Sub", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { left - right }
    package func value<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Whole { left &- right }
    package func leftDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { 1 }
    package func rightDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { -1 }
    package var leftDerivativeReads: BinaryOperands { [] }
    package var rightDerivativeReads: BinaryOperands { [] }

    package func epilogueStep(_ signature: Signature) -> EpilogueStep? {
        signature.scalarOperand.map { .function(.linear, alpha: 1, beta: -$0) }
    }

    package func channelAffine(_ signature: Signature) -> (scale: [Double], shift: [Double])? {
        signature.channelOperand.map { ($0.map { _ in 1 }, $0.map { -$0 }) }
    }
}

extension Sub: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        .broadcast(.sum, varying: varying, in: norm, signature)
    }
}

extension Sub: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        try signature.signedSum(of: varying, signs: [0: 1, 1: -1])
    }
}
