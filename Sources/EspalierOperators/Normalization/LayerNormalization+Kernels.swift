import EspalierKernels
import EspalierTensors

extension LayerNormalization {
    /// The input as rows to normalise.
    ///
    /// - Throws: ``OperatorError/unsupported(_:)`` for what only the reference does.
    private func rows(_ signature: Signature) throws(OperatorError) -> Shape {
        let (rows, width) = extents(signature.inputShape(0))
        guard signature.outputs.count == 1 else { throw .unsupported("a layer norm's statistics as outputs") }
        guard rows * width > 0 else { throw .unsupported("a layer norm of nothing") }
        for port in 1...2 where signature.hasInput(port) {
            guard signature.inputShape(port).count == width else {
                throw .unsupported("a layer norm with broadcast parameters")
            }
        }
        return [rows, width]
    }

    private func normalization(_ signature: Signature) -> DNNNormalization {
        DNNNormalization(givenStatistics: false, shift: signature.hasInput(2), epsilon: epsilon)
    }

    private func primitive(_ signature: Signature, training: Bool) throws(OperatorError) -> DNNPrimitive {
        let source = try Layout.plain.dnn(rows(signature))
        return try oneDNN { () throws(DNNError) in
            try DNNPrimitive.layerNormalization(normalization(signature), training: training, source: source)
        }
    }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        var arguments: [(argument: DNNArgument, place: StagedKernel.Place)] = [
            (.source, .input(0)), (.scale, .input(1)), (.destination, .output(0)),
        ]
        if signature.hasInput(2) { arguments.append((.shift, .input(2))) }
        let statistics = StoredStatistics(count: try rows(signature)[0])
        if context.phase.isTraining { arguments += statistics.arguments }
        var builder = StagedKernel.Builder()
        try builder.primitive(primitive(signature, training: context.phase.isTraining), arguments)
        return builder.kernel(
            inputLayouts: signature.inputs.map { _ in .plain }, outputLayouts: [.plain],
            workspaceByteCount: context.phase.isTraining ? statistics.byteCount : 0)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let rows = try rows(signature)
        let forward = try primitive(signature, training: true)
        let layout = try Layout.plain.dnn(rows)
        let primitive = try oneDNN { () throws(DNNError) in
            try DNNPrimitive.layerNormalizationGradient(
                normalization(signature), forward: forward, gradients: layout)
        }
        var builder = StagedKernel.Builder()
        var arguments = StoredStatistics(count: rows[0]).arguments
        arguments += [
            (.source, .input(0)), (.scale, .input(1)),
            (.destinationGradient, .input(context.gradientPort())),
        ]
        // oneDNN computes all gradients at once; those that nobody wants go nowhere.
        let ports: [DNNArgument] = [.sourceGradient, .scaleGradient, .shiftGradient]
        for port in signature.inputs.indices where signature.hasInput(port) {
            let place =
                context.isWanted(port)
                ? StagedKernel.Place.output(port)
                : builder.scratch(byteCount: signature.inputShape(port).count * 4)
            arguments.append((ports[port], place))
        }
        try builder.primitive(primitive, arguments)
        return builder.kernel(
            inputLayouts: [Layout](repeating: .plain, count: context.backwardInputCount),
            outputLayouts: signature.inputs.map { _ in .plain },
            unreadInputs: Set(2..<context.gradientPort()))
    }
}

/// The means and variances that a training kernel leaves in its workspace for its backward kernel.
struct StoredStatistics {
    /// How many of each.
    let count: Int

    /// Where the variances start: on a boundary that vector code likes.
    private var half: Int { (count * 4 + 63) / 64 * 64 }
    var byteCount: Int { 2 * half }

    var mean: StagedKernel.Place { .workspace }
    var variance: StagedKernel.Place { .workspace.advanced(by: half) }

    var arguments: [(argument: DNNArgument, place: StagedKernel.Place)] {
        [(.mean, mean), (.variance, variance)]
    }
}
