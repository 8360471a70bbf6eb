import EspalierGraphs
import EspalierTensors

/// Dropout (Srivastava et al. 2014): in training each element is kept with probability 1 - ratio and scaled by
/// 1 / (1 - ratio), or else zero; in inference, and in training with frozen normalisation, the input itself.
///
/// What runs decides, not the file: the input `training_mode`, which exporters of training graphs set, is not read.
/// Outputs: the result, and optionally the mask of kept elements.
package struct Dropout: AxisLinking, Differentiable, Lowering {
    package static let schemas = [OperatorSchema("Dropout", since: 7)]

    private let attributeRatio: Float
    private let attributeSeed: Int
    /// Tells the masks of several dropouts in one network apart: names may be empty, or another's too.
    private let node: (label: String, index: Int)
    private let masksAreBoolean: Bool

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        attributeRatio = try attributes.float("ratio", default: 0.5)
        attributeSeed = try attributes.int("seed", default: 0)
        guard (0...1).contains(attributeRatio) else {
            throw .attribute("ratio", problem: "\(attributeRatio) is not between 0 and 1")
        }
        node = (attributes.node.label, attributes.node.id.index)
        masksAreBoolean = attributes.opsetVersion >= 10
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype.isFloatingPoint else {
            throw .input(0, problem: "is \(input.dtype.rawValue), but floating-point numbers are needed")
        }
        if let ratio = inputs[1], ratio.shape.count != 1 {
            throw .input(1, problem: "has shape \(ratio.shape), but one ratio is needed")
        }
        let output = ValueFacts(dtype: input.dtype, shape: input.shape)
        let mask = ValueFacts(dtype: masksAreBoolean ? .bool : input.dtype, shape: input.shape)
        return inputs.outputCount > 1 ? [output, mask] : [output]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let input = try call.value(0)
        guard call.outputs.count > 1 else { return [input] }
        let mask: ReferenceValue<Real> =
            masksAreBoolean
            ? .boolean(NDArray(repeating: true, shape: input.shape))
            : .real(NDArray(repeating: 1, shape: input.shape))
        return [input, mask]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        for port in signature.outputs.indices {
            for axis in 0..<signature.inputShape(0).rank {
                links.link(.input(0, axis: axis), .output(port, axis: axis))
            }
        }
        return links
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool { port == 0 }

    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let inputCount = signature.inputs.count
        let hasMask = signature.outputs.count > 1
        // A mask that others read has an order of elements that they know.
        let layout = hasMask ? .plain : context.inputLayout(0)
        var source: RandomSource?
        if case .training(frozenNormalization: false, let seed) = context.phase {
            source = RandomSource(seed: seed).split(node.label).split(node.index).split(attributeSeed)
        } else if !hasMask {
            return CopyKernel(layout: layout, facts: signature.outputs[0], inputCount: inputCount, from: 0)
        }
        return DropoutKernel(
            layout: layout, shape: signature.outputShape(), inputCount: inputCount, ratio: attributeRatio,
            mask: hasMask ? signature.outputs[1].dtype : nil, source: source)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        guard let forward = context.forward as? DropoutKernel, forward.isRandom else {
            return CopyKernel(
                layout: context.outputGradientLayouts.first ?? .plain, facts: context.signature.outputs[0],
                inputCount: context.backwardInputCount, from: context.gradientPort())
        }
        return forward.makeBackward(context)
    }
}

// MARK: - Bounds

/// As it is in inference.
extension Dropout: BoundedSlope {
    package var largestSlope: Double { 1 }
}

extension Dropout: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        .sum([0: 1])
    }
}
