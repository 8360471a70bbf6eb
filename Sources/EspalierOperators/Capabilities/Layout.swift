package import EspalierKernels
package import EspalierTensors

/// How a value's elements lie in memory.
package enum Layout: Hashable, Sendable {
    /// Row-major.
    case plain
    /// Another of oneDNN's layouts, such as channels last. Made by ``init(_:)``, which sees to it that what is the
    /// same bytes as ``plain`` is called so.
    case dnn(DNNLayout)

    package init(_ layout: DNNLayout) {
        self = layout.isPlain ? .plain : .dnn(layout)
    }

    /// Axis 1, the channels, innermost: `N x positions x C` in memory. What convolutions ask for and produce.
    ///
    /// Unlike layouts in blocks it never pads, and all of oneDNN's optimised kernels for any number of channels
    /// know it.
    package static func channelsLast(_ shape: Shape) throws(OperatorError) -> Layout {
        guard shape.rank > 2 else { return .plain }
        return Layout(try oneDNN { () throws(DNNError) in try .channelsLast(shape) })
    }

    /// This layout of a value of `shape` as oneDNN describes it.
    package func dnn(_ shape: Shape) throws(OperatorError) -> DNNLayout {
        switch self {
        case .plain: try oneDNN { () throws(DNNError) in try .plain(shape) }
        case .dnn(let layout): layout
        }
    }

    /// The memory a value takes in this layout, which may pad axes.
    package func byteCount(shape: Shape, dtype: DType) -> Int {
        switch self {
        case .plain: shape.count * dtype.byteCount
        case .dnn(let layout): layout.byteCount
        }
    }

    /// A kernel with one input and one output that copies a `float32` value from one layout to another.
    ///
    /// - Throws: ``OperatorError/kernel(_:)`` if the library below refuses.
    package static func reorder(
        from source: Layout, to target: Layout, shape: Shape
    ) throws(OperatorError) -> any Kernel {
        if let transposition = try transposition(from: source, to: target, shape: shape) {
            return PlainKernel(inputLayouts: [source], outputLayouts: [target]) { memory in
                guard let input = memory.floats(0), let output = memory.outputFloats(0) else { return }
                transposition(from: input, to: output)
            }
        }
        // A layout may see the value's axes grouped (a grouped convolution's weights); plain memory fits every view.
        let view: Shape =
            switch (source, target) {
            case (.dnn(let layout), _), (.plain, .dnn(let layout)): layout.shape
            case (.plain, .plain): shape
            }
        var builder = StagedKernel.Builder()
        try builder.reorder(
            .input(0), from: source.dnn(view), to: .output(0), target.dnn(view))
        return builder.kernel(inputLayouts: [source], outputLayouts: [target])
    }
}

extension Layout {
    /// Between row-major and channels last, where oneDNN takes up to 18 times as long; nil for other layouts.
    private static func transposition(
        from source: Layout, to target: Layout, shape: Shape
    ) throws(OperatorError) -> Transposition? {
        guard shape.rank > 2, shape.count > 0, source == .plain || target == .plain, source != target,
            try channelsLast(shape) == (source == .plain ? target : source)
        else { return nil }
        let (samples, channels) = (shape[0], shape[1])
        let positions = shape.count / (samples * channels)
        return source == .plain
            ? .toChannelsLast(samples: samples, channels: channels, positions: positions)
            : .fromChannelsLast(samples: samples, channels: channels, positions: positions)
    }
}

/// Calls into oneDNN; a case it does not support becomes ``OperatorError/unsupported(_:)``, so that the reference runs.
package func oneDNN<Result>(_ body: () throws(DNNError) -> Result) throws(OperatorError) -> Result {
    do throws(DNNError) {
        return try body()
    } catch {
        throw error.reason == .unsupported ? .unsupported("\(error)") : .kernel("\(error)")
    }
}
