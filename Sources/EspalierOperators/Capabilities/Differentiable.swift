package import EspalierGraphs
import EspalierTensors

/// The capability of reverse-mode differentiation.
package protocol Differentiable: Operator {
    /// A kernel for the gradients with respect to the inputs.
    ///
    /// Its inputs are, in this order, the node's inputs, the node's outputs, and the gradients of the outputs (as
    /// many as the node has outputs; nil where an output has none). Its outputs are the gradients of the inputs; only those
    /// in ``BackwardContext/wanted`` have memory, the others are nil and must not be written. It overwrites.
    ///
    /// - Throws: ``OperatorError`` as ``Lowering/lower(_:)`` does; or ``OperatorError/unsupported(_:)`` where there is
    ///   no gradient.
    func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel

    /// Whether an input has a gradient at all. Indices, shapes and stored statistics do not.
    func hasGradient(input port: Int, signature: Signature) -> Bool
}

extension Differentiable {
    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        signature.hasInput(port) && signature.inputs[port]?.dtype.isFloatingPoint == true
    }
}

/// What a backward kernel is made for.
package struct BackwardContext {
    package let signature: Signature
    /// The kernel that ran forward, for its layouts and as oneDNN's hint. A ``ReferenceKernel`` where the operator
    /// has no lowering.
    package let forward: any Kernel
    /// How the gradient of each output lies; plain where it has none.
    package let outputGradientLayouts: [Layout]
    /// For each input, whether its gradient is wanted.
    package let wanted: [Bool]
    package let phase: Phase
    package let threads: Int
    /// As of ``LoweringContext/masks``.
    package let masks: [Mask?]
    /// As of ``LoweringContext/allowsWinograd``.
    package let allowsWinograd: Bool

    package init(
        signature: Signature, forward: any Kernel, outputGradientLayouts: [Layout], wanted: [Bool],
        phase: Phase, threads: Int, masks: [Mask?] = [], allowsWinograd: Bool = false
    ) {
        self.signature = signature
        self.forward = forward
        self.outputGradientLayouts = outputGradientLayouts
        self.wanted = wanted
        self.phase = phase
        self.threads = threads
        self.masks = masks
        self.allowsWinograd = allowsWinograd
    }

    /// The mask of an input, if it has one.
    package func mask(_ port: Int) -> Mask? { masks.indices.contains(port) ? masks[port] : nil }

    package var inputCount: Int { signature.inputs.count }
    package var outputCount: Int { signature.outputs.count }

    /// The port of the backward kernel at which input `port` of the node stands.
    package func inputPort(_ port: Int) -> Int { port }
    /// The port of the backward kernel at which output `port` of the node stands.
    package func outputPort(_ port: Int) -> Int { inputCount + port }
    /// The port of the backward kernel at which the gradient of output `port` stands.
    package func gradientPort(_ port: Int = 0) -> Int { inputCount + outputCount + port }
    /// The number of inputs of the backward kernel.
    package var backwardInputCount: Int { inputCount + 2 * outputCount }

    package func isWanted(_ port: Int) -> Bool { wanted.indices.contains(port) && wanted[port] }
}

/// The capability of exact squared per-sample gradients, which saliency and Fisher information need.
///
/// With axis 0 of the activations as the batch, L the sum of the samples' losses and w a parameter of the node, the
/// kernel gives sum over samples n of (dL_n/dw)^2. A sample's gradient is summed over positions *before* it is squared.
/// The square of the batch's gradient is something else.
package protocol PerSampleSquares: Differentiable {
    /// A kernel with the ports of ``Differentiable/lowerBackward(_:)``, whose outputs are sums of squares;
    /// wanted only for parameters.
    func lowerPerSampleSquares(_ context: BackwardContext) throws(OperatorError) -> any Kernel
}
