import EspalierTensors

/// The sum of two values, broadcast to each other. Sums of two activations of one shape are residual connections.
package struct Add: BinaryElementwise, Epilogue, ChannelAffine {
    package static let schemas = [OperatorSchema("Add", since: 7)]

    package init(_ attributes: AttributeReader) {}

    package func value<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { left + right }
    package func value<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Whole { left &+ right }
    package func leftDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { 1 }
    package func rightDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real { 1 }
    package var leftDerivativeReads: BinaryOperands { [] }
    package var rightDerivativeReads: BinaryOperands { [] }

    package func epilogueStep(_ signature: Signature) -> EpilogueStep? {
        if let constant = signature.scalarOperand { return .function(.linear, alpha: 1, beta: constant) }
        let (left, right, output) = (
            signature.inputShape(0), signature.inputShape(1), signature.outputShape()
        )
        if left == right { return .add }
        guard signature.outputs[0].dtype == .float32 else { return nil }
        let isVector = [left, right].contains {
            $0.rank == 1 && output.rank > 1 && $0[0] == output.extents.last
        }
        return isVector && [left, right].contains(output) ? .addVector : nil
    }

    package func channelAffine(_ signature: Signature) -> (scale: [Double], shift: [Double])? {
        signature.channelOperand.map { ($0.map { _ in 1 }, $0) }
    }
}

extension Add: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        .broadcast(.sum, varying: varying, in: norm, signature)
    }
}

extension Add: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        try signature.signedSum(of: varying, signs: [0: 1, 1: 1])
    }
}
