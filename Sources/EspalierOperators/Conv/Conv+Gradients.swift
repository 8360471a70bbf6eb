import EspalierKernels
import EspalierTensors

extension Conv: PerSampleSquares {
    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        if !context.isWanted(0), let kernel = try narrowGradients(context, squares: false) { return kernel }
        return try choosing(
            context.signature, allowsWinograd: context.allowsWinograd
        ) { primitives throws(OperatorError) in
            var builder = StagedKernel.Builder()
            var made: [DNNPrimitive] = []
            let gradient = StagedKernel.Place.input(context.gradientPort())
            var weights = Layout.plain
            if context.isWanted(0) {
                let primitive = try primitives.sourceGradient()
                made.append(primitive)
                weights = try primitive.weightsLayout(.weights)
                try builder.primitive(
                    primitive,
                    [.weights: .input(1), .destinationGradient: gradient, .sourceGradient: .output(0)])
            }
            if context.isWanted(1) || context.isWanted(2) {
                let primitive = try primitives.weightsGradient(bias: context.isWanted(2))
                made.append(primitive)
                let layout = try primitive.weightsGradientLayout()
                // The optimiser works on row-major parameters.
                let isDirect = layout.isPlain && context.isWanted(1)
                let target = isDirect ? .output(1) : builder.scratch(byteCount: layout.byteCount)
                try builder.addWeightsGradient(
                    primitive, source: .input(0), gradient: gradient, into: target,
                    bias: context.isWanted(2) ? .output(2) : nil)
                if context.isWanted(1), !isDirect {
                    try builder.reorder(target, from: layout, to: .output(1), layout.plainly())
                }
            }
            return (backwardKernel(builder, context, primitives, weights: weights), made)
        }
    }

    /// The gradient of each sample's weights by itself, squared and summed.
    package func lowerPerSampleSquares(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        guard !context.isWanted(0), context.signature.constant(0) == nil else {
            throw .unsupported("per-sample gradients of a convolution's input")
        }
        if let kernel = try narrowGradients(context, squares: true) { return kernel }
        let samples = context.signature.inputShape(0)[0]
        return try choosing(context.signature, sample: true) { primitives throws(OperatorError) in
            let primitive = try primitives.weightsGradient(bias: context.isWanted(2))
            let layout = try primitive.weightsGradientLayout()
            let count = layout.byteCount / 4
            let filters = primitives.description.weights[0]
            var builder = StagedKernel.Builder()
            let part = builder.scratch(byteCount: layout.byteCount)
            let biasPart = context.isWanted(2) ? builder.scratch(byteCount: 4 * filters) : nil
            let isDirect = layout.isPlain && context.isWanted(1)
            let sum = isDirect ? .output(1) : builder.scratch(byteCount: layout.byteCount)
            if context.isWanted(1) { builder.addZeroes(sum, count: count) }
            if biasPart != nil { builder.addZeroes(.output(2), count: filters) }
            try builder.forEachSample(samples) { builder throws(OperatorError) in
                try builder.addWeightsGradient(
                    primitive, source: .input(0).perSample(primitives.source.byteCount),
                    gradient: .input(context.gradientPort()).perSample(primitives.destination.byteCount),
                    into: part, bias: biasPart)
                if context.isWanted(1) { builder.addSquares(of: part, to: sum, count: count) }
                if let biasPart { builder.addSquares(of: biasPart, to: .output(2), count: filters) }
            }
            if context.isWanted(1), !isDirect {
                try builder.reorder(sum, from: layout, to: .output(1), layout.plainly())
            }
            // What the ports hold is the whole batch.
            let whole = try ConvPrimitives(
                geometry(
                    input: context.signature.inputShape(0), weight: context.signature.inputShape(1)),
                signature: context.signature, channelsLast: primitives.isChannelsLast)
            return (backwardKernel(builder, context, whole, weights: .plain), [primitive])
        }
    }

    /// Where the input's gradient is not wanted, as is usual for a first layer.
    private func narrowGradients(
        _ context: BackwardContext, squares: Bool
    ) throws(OperatorError) -> StagedKernel? {
        let signature = context.signature
        guard let geometry = geometry(signature),
            let narrow = try NarrowConvolution(geometry, signature: signature)
        else { return nil }
        var builder = StagedKernel.Builder()
        narrow.addParameterGradients(
            to: &builder, gradient: .input(context.gradientPort()), weights: context.isWanted(1),
            bias: context.isWanted(2), squares: squares, threads: context.threads)
        var inputs = [Layout](repeating: .plain, count: context.backwardInputCount)
        inputs[context.gradientPort()] = Layout(narrow.destination)
        return builder.kernel(
            inputLayouts: inputs, outputLayouts: [Layout](repeating: .plain, count: context.inputCount),
            unreadInputs: Set(1..<context.gradientPort()))
    }

    private func backwardKernel(
        _ builder: StagedKernel.Builder, _ context: BackwardContext, _ primitives: ConvPrimitives,
        weights: Layout
    ) -> StagedKernel {
        var inputs = [Layout](repeating: .plain, count: context.backwardInputCount)
        inputs[0] = Layout(primitives.source)
        inputs[1] = weights
        inputs[context.gradientPort()] = Layout(primitives.destination)
        var outputs = [Layout](repeating: .plain, count: context.inputCount)
        outputs[0] = Layout(primitives.source)
        var unread = Set(0..<context.backwardInputCount)
        unread.remove(context.gradientPort())
        if context.isWanted(0) { unread.remove(1) }
        if context.isWanted(1) || context.isWanted(2) { unread.remove(0) }
        return builder.kernel(inputLayouts: inputs, outputLayouts: outputs, unreadInputs: unread)
    }
}

extension StagedKernel.Builder {
    fileprivate mutating func addWeightsGradient(
        _ primitive: DNNPrimitive, source: StagedKernel.Place, gradient: StagedKernel.Place,
        into target: StagedKernel.Place, bias: StagedKernel.Place?
    ) throws(OperatorError) {
        var arguments: [(argument: DNNArgument, place: StagedKernel.Place)] = [
            (.source, source), (.destinationGradient, gradient), (.weightsGradient, target),
        ]
        if let bias { arguments.append((.biasGradient, bias)) }
        try self.primitive(primitive, arguments)
    }
}

extension DNNPrimitive {
    fileprivate func weightsGradientLayout() throws(OperatorError) -> DNNLayout {
        try oneDNN { () throws(DNNError) in try layout(of: .weightsGradient) }
    }
}

extension DNNLayout {
    fileprivate func plainly() throws(OperatorError) -> DNNLayout {
        try oneDNN { () throws(DNNError) in try plain() }
    }
}
