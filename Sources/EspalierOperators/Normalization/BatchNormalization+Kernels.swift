import EspalierKernels
import EspalierTensors

extension BatchNormalization: Lowering, Differentiable {
    private func normalization(givenStatistics: Bool) -> DNNNormalization {
        DNNNormalization(givenStatistics: givenStatistics, epsilon: epsilon)
    }

    private func primitive(
        _ signature: Signature, source: Layout, phase: Phase
    ) throws(OperatorError) -> DNNPrimitive {
        let shape = Self.withChannels(signature.inputShape(0))
        guard !usesBatchStatistics else { throw .unsupported("a batch norm that is itself in training mode") }
        guard shape.count > 0, shape.rank <= 5 else { throw .unsupported("batch norm of \(shape)") }
        let layout = try source.dnn(shape)
        return try oneDNN { () throws(DNNError) in
            try DNNPrimitive.batchNormalization(
                normalization(givenStatistics: !phase.usesBatchStatistics), training: phase.isTraining,
                source: layout)
        }
    }

    /// The input as rows of channels, if that is how it lies.
    private func rows(_ shape: Shape, _ layout: Layout) throws(OperatorError) -> ChannelsLastNormalization? {
        guard !usesBatchStatistics, shape.count > 0, shape.rank <= 5,
            layout == (try .channelsLast(shape))
        else { return nil }
        return ChannelsLastNormalization(
            rows: shape.count / shape[1], channels: shape[1], epsilon: epsilon)
    }

    /// Inputs 3 and 4, the stored statistics, are changed by every run of a kernel that uses the batch's.
    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let source = context.inputLayout(0)
        let takesBatch = context.phase.usesBatchStatistics
        let shape = Self.withChannels(signature.inputShape(0))
        let statistics = StoredStatistics(count: shape[1])
        let places = takesBatch ? statistics.arguments : Self.storedStatistics
        var builder = StagedKernel.Builder()
        if let rows = try rows(shape, source) {
            let scratch = builder.scratch(byteCount: rows.scratchByteCount)
            builder.loop(
                [.input(0), .input(1), .input(2)] + places.map(\.place) + [.output(0), scratch]
            ) { memory in
                guard let source = memory.floats(0), let scale = memory.floats(1),
                    let shift = memory.floats(2),
                    let mean = memory.floats(3), let variance = memory.floats(4),
                    let result = memory.floats(5), let scratch = memory[6]
                else { return }
                rows.forward(
                    source, scale: scale, shift: shift, mean: mean, variance: variance, isGiven: !takesBatch,
                    result: result, scratch: scratch)
            }
        } else {
            try builder.primitive(
                primitive(signature, source: source, phase: context.phase),
                [
                    (.source, .input(0)), (.scale, .input(1)), (.shift, .input(2)),
                    (.destination, .output(0)),
                ] + places)
        }
        if takesBatch {
            let (count, share) = (statistics.count, momentum)
            builder.loop([statistics.mean, statistics.variance, .input(3), .input(4)]) { memory in
                for port in 0..<2 {
                    guard let batch = memory.floats(port), let stored = memory.floats(port + 2) else {
                        return
                    }
                    for channel in 0..<count {
                        stored[channel] = share * stored[channel] + (1 - share) * batch[channel]
                    }
                }
            }
        }
        return builder.kernel(
            inputLayouts: [source, .plain, .plain, .plain, .plain], outputLayouts: [source],
            workspaceByteCount: takesBatch ? statistics.byteCount : 0,
            mutatedInputs: takesBatch ? [3, 4] : [])
    }

    private static let storedStatistics: [(argument: DNNArgument, place: StagedKernel.Place)] = [
        (.mean, .input(3)), (.variance, .input(4)),
    ]

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        let layout = context.forward.inputLayouts[0]
        let shape = Self.withChannels(signature.inputShape(0))
        let takesBatch = context.phase.usesBatchStatistics
        let gradient = context.gradientPort()
        let statistics =
            takesBatch ? StoredStatistics(count: shape[1]).arguments : Self.storedStatistics
        var builder = StagedKernel.Builder()
        if let rows = try rows(shape, layout) {
            let scratch = builder.scratch(byteCount: rows.scratchByteCount)
            let wanted = (0...2).map { context.isWanted($0) }
            builder.loop(
                [.input(0), .input(gradient), .input(1)] + statistics.map(\.place)
                    + [scratch, .output(0), .output(1), .output(2)]
            ) { memory in
                guard let source = memory.floats(0), let gradient = memory.floats(1),
                    let scale = memory.floats(2), let mean = memory.floats(3),
                    let variance = memory.floats(4),
                    let scratch = memory[5]
                else { return }
                rows.backward(
                    source, gradient: gradient, scale: scale, mean: mean, variance: variance,
                    isGiven: !takesBatch, sourceGradient: wanted[0] ? memory.floats(6) : nil,
                    scaleGradient: wanted[1] ? memory.floats(7) : nil,
                    shiftGradient: wanted[2] ? memory.floats(8) : nil, scratch: scratch)
            }
        } else {
            let forward = try primitive(signature, source: layout, phase: context.phase)
            let source = try layout.dnn(shape)
            let primitive = try oneDNN { () throws(DNNError) in
                try DNNPrimitive.batchNormalizationGradient(
                    normalization(givenStatistics: !takesBatch), forward: forward, gradients: source)
            }
            var arguments =
                statistics + [
                    (.source, .input(0)), (.scale, .input(1)), (.destinationGradient, .input(gradient)),
                ]
            // oneDNN computes all gradients at once; those that nobody wants go nowhere.
            let results: [(DNNArgument, port: Int, byteCount: Int)] = [
                (.sourceGradient, 0, source.byteCount),
                (.scaleGradient, 1, signature.inputShape(1).count * 4),
                (.shiftGradient, 2, signature.inputShape(2).count * 4),
            ]
            for (argument, port, byteCount) in results {
                arguments.append(
                    (argument, context.isWanted(port) ? .output(port) : builder.scratch(byteCount: byteCount))
                )
            }
            try builder.primitive(primitive, arguments)
        }
        var inputs = [Layout](repeating: .plain, count: context.backwardInputCount)
        inputs[0] = layout
        inputs[gradient] = layout
        var unread: Set<Int> = [2, context.outputPort(0)]
        if takesBatch { unread.formUnion([3, 4]) }
        return builder.kernel(
            inputLayouts: inputs, outputLayouts: [layout, .plain, .plain, .plain, .plain],
            unreadInputs: unread)
    }

    package func hasGradient(input port: Int, signature: Signature) -> Bool {
        (0...2).contains(port) && signature.hasInput(port)
    }
}

extension Phase {
    /// Whether batch norm normalises by, and learns, the statistics of the batch.
    var usesBatchStatistics: Bool {
        if case .training(frozenNormalization: false, seed: _) = self { true } else { false }
    }
}

// MARK: - Per-sample gradients

extension BatchNormalization: PerSampleSquares {
    /// With the stored statistics, a sample's gradient of a channel's scale is the sum over positions of the
    /// output's gradient times the normalised input, and of its shift that without the factor.
    package func lowerPerSampleSquares(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let signature = context.signature
        guard !usesBatchStatistics, !context.phase.usesBatchStatistics else {
            throw .unsupported("per-sample gradients of a batch norm whose statistics are the batch's")
        }
        let shape = Self.withChannels(signature.inputShape(0))
        // Positions must be evenly spaced, which blocks are not; the gradient must lie as the input does.
        var layout = context.forward.inputLayouts[0]
        var strides = try layout.dnn(shape).strides ?? []
        let isEven = (2..<max(shape.rank - 1, 2)).allSatisfy { axis in
            strides.count == shape.rank && strides[axis] == strides[axis + 1] * shape[axis + 1]
        }
        if strides.isEmpty || !isEven {
            layout = .plain
            strides = shape.strides
        }
        let sums = PerSampleSums(
            samples: shape[0], channels: shape[1], positions: shape.count(2..<shape.rank),
            sampleStride: strides[0], channelStride: strides[1],
            positionStride: strides.last.map { shape.rank > 2 ? $0 : 1 } ?? 1, epsilon: epsilon)
        let gradient = context.gradientPort()
        var builder = StagedKernel.Builder()
        let scratch = builder.scratch(byteCount: 2 * shape[1] * 4)
        builder.loop(
            [.input(0), .input(gradient), .input(3), .input(4), scratch, .output(1), .output(2)]
        ) { memory in
            let floats = memory.map { $0?.assumingMemoryBound(to: Float.self) }
            guard let input = floats[0], let gradient = floats[1], let mean = floats[2],
                let variance = floats[3], let scratch = floats[4]
            else { return }
            sums.run(
                input: input, gradient: gradient, mean: mean, variance: variance, scratch: scratch,
                scale: floats[5], shift: floats[6])
        }
        var inputs = [Layout](repeating: .plain, count: context.backwardInputCount)
        inputs[0] = layout
        inputs[gradient] = layout
        return builder.kernel(
            inputLayouts: inputs, outputLayouts: [Layout](repeating: .plain, count: 5),
            unreadInputs: [1, 2, context.outputPort(0)])
    }
}

/// The loops over samples, channels and positions.
private struct PerSampleSums: Sendable {
    let samples, channels, positions: Int
    let sampleStride, channelStride, positionStride: Int
    let epsilon: Float

    func run(
        input: UnsafePointer<Float>, gradient: UnsafePointer<Float>, mean: UnsafePointer<Float>,
        variance: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>,
        scale: UnsafeMutablePointer<Float>?, shift: UnsafeMutablePointer<Float>?
    ) {
        let (products, plain) = (scratch, scratch + channels)
        scale?.update(repeating: 0, count: channels)
        shift?.update(repeating: 0, count: channels)
        for sample in 0..<samples {
            scratch.update(repeating: 0, count: 2 * channels)
            let start = sample * sampleStride
            if channelStride == 1 {
                // Channels lie next to each other.
                for position in 0..<positions {
                    let offset = start + position * positionStride
                    for channel in 0..<channels {
                        let value = gradient[offset + channel]
                        products[channel] += value * (input[offset + channel] - mean[channel])
                        plain[channel] += value
                    }
                }
            } else {
                for channel in 0..<channels {
                    let offset = start + channel * channelStride
                    for position in 0..<positions {
                        let value = gradient[offset + position * positionStride]
                        products[channel] +=
                            value * (input[offset + position * positionStride] - mean[channel])
                        plain[channel] += value
                    }
                }
            }
            if let scale {
                for channel in 0..<channels {
                    let product = products[channel]
                    scale[channel] += product * product / (variance[channel] + epsilon)
                }
            }
            if let shift {
                for channel in 0..<channels { shift[channel] += plain[channel] * plain[channel] }
            }
        }
    }
}
