import EspalierKernels
package import EspalierTensors

extension Conv: EpilogueAccepting {
    package func accepts(_ step: EpilogueStep, signature: Signature) -> Bool { step.postOperation != nil }

    package func layoutChoice(_ signature: Signature) -> LayoutChoice {
        let dense = LayoutChoice.fixed(input: .channelsLast, output: .channelsLast)
        guard let geometry = geometry(signature) else { return dense }
        if (try? NarrowConvolution(geometry, signature: signature)) != nil {
            return .fixed(input: .plain, output: .channelsLast)
        }
        if PlanarDepthwise.exists(for: geometry) { return .follows }
        return SparseConvolution.work(geometry, signature).map { .product($0, dense: .channelsLast) } ?? dense
    }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        if let geometry = geometry(signature),
            let narrow = try NarrowConvolution(geometry, signature: signature)
        {
            return try lower(narrow, context)
        }
        if let geometry = geometry(signature), let depthwise = PlanarDepthwise(geometry, context) {
            return try depthwise.kernel(context)
        }
        if let geometry = geometry(signature), let kernel = try depthwise(geometry, context) {
            return kernel
        }
        if let geometry = geometry(signature), let sparse = SparseConvolution(geometry, context) {
            return try sparse.kernel(context)
        }
        let format = denseFormat(context)
        return try choosing(
            signature, allowsWinograd: context.allowsWinograd && context.phase.isTraining
        ) { primitives throws(OperatorError) in
            var fused = FusedOperations()
            // A sum with the output's former contents keeps the fastest implementation, which knows no other.
            try fused.append(
                context.epilogues, addend: primitives.destination, addendPort: signature.inputs.count,
                accumulates: true)
            var builder = StagedKernel.Builder()
            let (primitive, source) = try primitives.forward(
                training: context.phase.isTraining, postOperations: fused.operations, format, in: &builder)
            var arguments: [(argument: DNNArgument, place: StagedKernel.Place)] = [
                (.source, source), (.weights, .input(1)), (.destination, .output(0)),
            ]
            if primitives.hasBias { arguments.append((.bias, .input(2))) }
            fused.addPreload(to: &builder, output: primitives.destination)
            try builder.primitive(primitive, arguments + fused.arguments)
            try fused.addRest(to: &builder, output: primitives.destination)

            let destination = Layout(primitives.destination)
            var layouts = [Layout](repeating: .plain, count: signature.inputs.count)
            layouts[0] = Layout(primitives.source)
            layouts[1] = try primitive.weightsLayout(.weights)
            for step in context.epilogues where step == .add { layouts.append(destination) }
            let kernel = builder.kernel(
                inputLayouts: layouts, outputLayouts: [destination], inPlaceInput: fused.accumulatedInput)
            return (kernel, [primitive])
        }
    }

    /// A depthwise convolution channels last by a kernel of our own; nil where oneDNN has a faster one.
    private func depthwise(
        _ geometry: ConvGeometry, _ context: LoweringContext
    ) throws(OperatorError) -> (any Kernel)? {
        let signature = context.signature
        guard context.phase == .inference, geometry.isDepthwise, geometry.groupOutputs == 1,
            signature.inputShape(0).count > 0, geometry.output.count > 0,
            let weights = signature.constant(1), let planar = SparseGeometry(geometry),
            let convolution = ChannelsLastDepthwise(planar, weights: weights)
        else { return nil }
        let fusion = SparseFusion(context.epilogues, addendPort: signature.inputs.count)
        return try fusion.kernel(
            inputCount: context.fusedInputCount, output: geometry.output,
            layouts: (.channelsLast(signature.inputShape(0)), .channelsLast(geometry.output)), scratch: 0,
            bias: signature.hasInput(2) ? .input(2) : nil
        ) { operands in
            convolution.convolve(operands.input, into: operands.output, then: operands.epilogue)
        }
    }

    /// How dense kernels keep the weights. Depthwise convolutions wait for their activations, not for arithmetic.
    private func denseFormat(_ context: LoweringContext) -> KernelFormat {
        let signature = context.signature
        guard context.phase == .inference, signature.constant(1) != nil,
            let geometry = geometry(signature), !geometry.isDepthwise
        else { return .dense }
        return .dense(
            in: context.precision,
            multiplyAccumulates: saturatingProduct(
                geometry.batch, geometry.outputPositions, signature.inputShape(1).count),
            activations: signature.inputShape(0).count + geometry.output.count)
    }

    private func lower(
        _ narrow: NarrowConvolution, _ context: LoweringContext
    ) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        var steps = context.epilogues
        let relu = EpilogueStep.function(.relu, alpha: 0, beta: 0)
        let startsWithRelu = steps.first == relu
        if startsWithRelu { steps.removeFirst() }
        var fused = FusedOperations(limit: 0)
        try fused.append(steps, addend: narrow.destination, addendPort: signature.inputs.count)
        // A bias that is not known in advance leaves nothing to prepare.
        let isKnown =
            context.phase == .inference && signature.constant(1) != nil
            && (!narrow.hasBias || signature.constant(2) != nil)
        var builder = StagedKernel.Builder()
        narrow.addForward(
            to: &builder, weights: isKnown ? signature.constant(1) : nil, bias: signature.constant(2),
            relu: startsWithRelu, threads: context.threads)
        try fused.addRest(to: &builder, output: narrow.destination)
        let destination = Layout(narrow.destination)
        var layouts = [Layout](repeating: .plain, count: signature.inputs.count)
        for step in context.epilogues where step == .add { layouts.append(destination) }
        return builder.kernel(
            inputLayouts: layouts, outputLayouts: [destination],
            unreadInputs: isKnown ? Set(1..<signature.inputs.count) : [])
    }
}

extension Conv: ChannelAffineFolding {
    package func folding(
        scale: [Double], shift: [Double], signature: Signature
    ) -> [Int: Tensor]? {
        guard let weight = signature.constant(1), weight.shape[0] == scale.count, scale.count == shift.count,
            !signature.hasInput(2) || signature.constant(2) != nil
        else { return nil }
        let filter = weight.count / max(weight.shape[0], 1)
        let bias =
            signature.constant(2)?.scalars(as: Double.self) ?? [Double](repeating: 0, count: scale.count)
        let sums = scale.indices.map { scale[$0] * bias[$0] + shift[$0] }
        return [
            1: weight.multiplied { scale[$0 / filter] },
            2: Tensor(shape: [sums.count], scalars: sums).converted(to: weight.dtype),
        ]
    }
}

extension DNNPrimitive {
    func weightsLayout(_ argument: DNNArgument) throws(OperatorError) -> Layout {
        Layout(try oneDNN { () throws(DNNError) in try layout(of: argument) })
    }
}
