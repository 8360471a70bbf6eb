import EspalierKernels
import EspalierTensors

extension SoftmaxFamily {
    /// What oneDNN sees: the input in its own layout or, where axes are normalised together or the layout is
    /// row-major anyway, folded to at most three axes.
    private func source(
        _ signature: Signature, layout: Layout
    ) throws(OperatorError) -> (source: DNNLayout, axis: Int) {
        let shape = signature.inputShape(0)
        guard shape.count > 0 else { throw .unsupported("softmax of nothing") }
        let axes = try normalizedAxes(shape)
        if case .dnn(let layout) = layout, axes.count == 1 { return (layout, axes.lowerBound) }
        let view = try view(shape)
        let folded: Shape =
            view.inner == 1 ? [view.outer, view.width] : [view.outer, view.width, view.inner]
        return (try Layout.plain.dnn(folded), 1)
    }

    private func primitive(
        _ source: DNNLayout, axis: Int, training: Bool
    ) throws(OperatorError) -> DNNPrimitive {
        try oneDNN { () throws(DNNError) in
            try DNNPrimitive.softmax(
                axis: axis, logarithm: Self.isLogarithm, training: training, source: source,
                destination: source)
        }
    }

    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let (source, axis) = try source(context.signature, layout: context.inputLayout(0))
        var builder = StagedKernel.Builder()
        try builder.primitive(
            primitive(source, axis: axis, training: context.phase.isTraining),
            [.source: .input(0), .destination: .output(0)])
        let layout = Layout(source)
        return builder.kernel(inputLayouts: [layout], outputLayouts: [layout], inPlaceInput: 0)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        guard !(context.forward is ReferenceKernel) else { return emptyGradient(context) }
        let (source, axis) = try source(context.signature, layout: context.forward.inputLayouts[0])
        let forward = try primitive(source, axis: axis, training: true)
        let primitive = try oneDNN { () throws(DNNError) in
            try DNNPrimitive.softmaxGradient(
                axis: axis, logarithm: Self.isLogarithm, forward: forward, sourceGradient: source,
                destinationGradient: source)
        }
        let (output, gradient) = (context.outputPort(0), context.gradientPort())
        var builder = StagedKernel.Builder()
        try builder.primitive(
            primitive,
            [
                .destination: .input(output), .destinationGradient: .input(gradient),
                .sourceGradient: .output(0),
            ])
        let layout = Layout(source)
        return builder.kernel(
            inputLayouts: [.plain, layout, layout], outputLayouts: [layout], unreadInputs: [0])
    }

    /// The reference ran only because there is nothing to compute.
    private func emptyGradient(_ context: BackwardContext) -> any Kernel {
        PlainKernel(
            inputCount: context.backwardInputCount, outputCount: 1,
            unreadInputs: Set(0..<context.backwardInputCount)
        ) { _ in }
    }
}
