import EspalierKernels
import EspalierTensors

/// Pooling by oneDNN, in whatever layout the input comes in, and by plain loops back from a reference.
struct PoolingKernels {
    let kind: DNNPooling.Kind
    let windows: Windows
    let signature: Signature

    private var input: Shape { signature.inputShape(0) }

    /// - Throws: ``OperatorError/unsupported(_:)`` for windows that oneDNN cannot express.
    private func pooling() throws(OperatorError) -> DNNPooling {
        guard (1...3).contains(windows.axes.count), input.count > 0 else {
            throw .unsupported("pooling of \(input)")
        }
        // oneDNN divides by the whole window, also where it reaches beyond the padding that counts.
        guard kind != .averageIncludingPadding || windows.staysInPadding else {
            throw .unsupported("a mean over windows that leave the padding")
        }
        return try oneDNN { () throws(DNNError) in
            try DNNPooling(
                kind, source: input, kernel: windows.kernel, strides: windows.strides,
                dilations: windows.dilations, paddingBegin: windows.paddingBefore,
                paddingEnd: windows.reachedPaddingAfter)
        }
    }

    private func primitive(
        _ pooling: DNNPooling, source: Layout, training: Bool
    ) throws(OperatorError) -> DNNPrimitive {
        let source = try source.dnn(input)
        return try oneDNN { () throws(DNNError) in
            try DNNPrimitive.pooling(pooling, training: training, source: source)
        }
    }

    func forward(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        guard signature.outputs.count == 1, signature.outputs[0].dtype == .float32 else {
            throw .unsupported("pooling with indices, or of integers")
        }
        let source = context.inputLayout(0)
        if source == .plain, context.phase == .inference, let pooling = maxPooling {
            let planes = input[0] * input[1]
            return PlainKernel(inputCount: 1, outputCount: 1) { memory in
                guard let input = memory.floats(0), let output = memory.outputFloats(0) else { return }
                pooling(from: input, to: output, planes: planes)
            }
        }
        let primitive = try primitive(pooling(), source: source, training: context.phase.isTraining)
        let workspace = primitive.layoutIfPresent(of: .workspace)
        var arguments: [(argument: DNNArgument, place: StagedKernel.Place)] = [
            (.source, .input(0)), (.destination, .output(0)),
        ]
        if workspace != nil { arguments.append((.workspace, .workspace)) }
        var builder = StagedKernel.Builder()
        try builder.primitive(primitive, arguments)
        let destination = try oneDNN { () throws(DNNError) in try primitive.layout(of: .destination) }
        return builder.kernel(
            inputLayouts: [source], outputLayouts: [Layout(destination)],
            workspaceByteCount: workspace?.byteCount ?? 0)
    }

    private var maxPooling: MaxPooling? {
        guard kind == .maximum, windows.axes.count == 2, windows.dilations == [1, 1], input.count > 0 else {
            return nil
        }
        func axis(_ index: Int) -> MaxPooling.Axis {
            MaxPooling.Axis(
                extent: input[2 + index], kernel: windows.kernel[index], stride: windows.strides[index],
                paddingBefore: windows.paddingBefore[index], output: signature.outputShape()[2 + index])
        }
        return MaxPooling(rows: axis(0), columns: axis(1))
    }

    /// - Parameter distribute: for a kernel whose forward pass was the reference, adds one window's gradient to
    ///   the elements of its plane.
    func backward(
        _ context: BackwardContext, distribute: @escaping Distribution
    ) throws(OperatorError) -> any Kernel {
        guard !(context.forward is ReferenceKernel) else { return try loops(context, distribute) }
        let pooling = try pooling()
        let source = context.forward.inputLayouts[0]
        let forward = try primitive(pooling, source: source, training: true)
        let port = context.gradientPort()
        let (layout, gradient) = (try source.dnn(input), context.forward.outputLayouts[0])
        // Where one position is left, channels last is the same bytes as row-major, and `Layout` says so; oneDNN's
        // fast kernels go by the description, which must be the forward pass' own.
        let destination = try oneDNN { () throws(DNNError) in try forward.layout(of: .destination) }
        let primitive = try oneDNN { () throws(DNNError) in
            try DNNPrimitive.poolingGradient(
                pooling, forward: forward, sourceGradient: layout, destinationGradient: destination)
        }
        var arguments: [(argument: DNNArgument, place: StagedKernel.Place)] = [
            (.destinationGradient, .input(port)), (.sourceGradient, .output(0)),
        ]
        if primitive.layoutIfPresent(of: .workspace) != nil { arguments.append((.workspace, .workspace)) }
        var builder = StagedKernel.Builder()
        try builder.primitive(primitive, arguments)
        var layouts = [Layout](repeating: .plain, count: context.backwardInputCount)
        layouts[port] = gradient
        return builder.kernel(
            inputLayouts: layouts, outputLayouts: [source], unreadInputs: Set(0..<port))
    }

    /// One window, as ``backward(_:distribute:)`` shows it.
    struct Window {
        /// The elements of the plane that the window lies on.
        let plane: UnsafePointer<Float>
        /// Those the window sees.
        let positions: UnsafeBufferPointer<Int>
        /// How many there are with the padding that the node asks for.
        let paddedCount: Int
    }

    /// Adds one window's gradient to the gradients of its plane.
    typealias Distribution = (Window, _ gradient: Float, _ result: UnsafeMutablePointer<Float>) -> Void

    private func loops(
        _ context: BackwardContext, _ distribute: @escaping Distribution
    ) throws(OperatorError) -> any Kernel {
        let positions = try WindowPositions(windows)
        let planes = signature.outputShape().count / max(positions.windowCount, 1)
        let count = input.count
        let port = context.gradientPort()
        return PlainKernel(
            inputCount: context.backwardInputCount, outputCount: context.inputCount,
            unreadInputs: Set(1..<port)
        ) { memory in
            guard let input = memory.floats(0), let gradient = memory.floats(port),
                let result = memory.outputFloats(0)
            else { return }
            result.update(repeating: 0, count: count)
            for plane in 0..<planes {
                let start = plane * positions.planeCount
                positions.forEachWindow { index, seen in
                    let window = Window(
                        plane: UnsafePointer(input + start), positions: seen,
                        paddedCount: positions.paddedCounts[index])
                    distribute(window, gradient[plane * positions.windowCount + index], result + start)
                }
            }
        }
    }

    // MARK: What a window's gradient does

    /// All of it goes to the first of the largest elements.
    static func toLargest(_ window: Window, _ gradient: Float, _ result: UnsafeMutablePointer<Float>) {
        var best: Int?
        for position in window.positions where best.map({ window.plane[position] > window.plane[$0] }) ?? true
        {
            best = position
        }
        if let best { result[best] += gradient }
    }

    /// It is shared by all elements.
    static func toAll(_ window: Window, _ gradient: Float, _ result: UnsafeMutablePointer<Float>) {
        let share = gradient / Float(window.positions.count)
        for position in window.positions { result[position] += share }
    }

    /// It is shared by all elements and the padding.
    static func toAllAndPadding(_ window: Window, _ gradient: Float, _ result: UnsafeMutablePointer<Float>) {
        let share = gradient / Float(window.paddedCount)
        for position in window.positions { result[position] += share }
    }
}

extension MaxPool {
    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        try kernels(context.signature).forward(context)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        try kernels(context.signature).backward(context, distribute: PoolingKernels.toLargest)
    }

    private func kernels(_ signature: Signature) throws(OperatorError) -> PoolingKernels {
        PoolingKernels(
            kind: .maximum, windows: try windows(signature.inputShape(0)), signature: signature)
    }
}

extension AveragePool {
    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        try kernels(context.signature).forward(context)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let distribute: PoolingKernels.Distribution =
            if countsPadding { PoolingKernels.toAllAndPadding } else { PoolingKernels.toAll }
        return try kernels(context.signature).backward(context, distribute: distribute)
    }

    private func kernels(_ signature: Signature) throws(OperatorError) -> PoolingKernels {
        PoolingKernels(
            kind: countsPadding ? .averageIncludingPadding : .averageExcludingPadding,
            windows: try windows(signature.inputShape(0)), signature: signature)
    }
}

extension GlobalPooling {
    package func layoutChoice(_ signature: Signature) -> LayoutChoice { .follows }

    package func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel {
        try kernels(context.signature).forward(context)
    }

    package func lowerBackward(_ context: BackwardContext) throws(OperatorError) -> any Kernel {
        let distribute: PoolingKernels.Distribution =
            if Self.kind == .maximum { PoolingKernels.toLargest } else { PoolingKernels.toAll }
        return try kernels(context.signature).backward(context, distribute: distribute)
    }

    private func kernels(_ signature: Signature) -> PoolingKernels {
        PoolingKernels(
            kind: Self.kind, windows: Windows(covering: Array(signature.inputShape(0).extents[2...])),
            signature: signature)
    }
}
