import EspalierGraphs
import EspalierTensors

/// Max and average pooling: a window slides over the positions of every channel of every sample.
///
/// Batch and channels are linked, positions frozen.
protocol WindowedPooling: AxisLinking, Differentiable, Lowering {
    var windowAttributes: WindowAttributes { get }
}

/// Taps of a window over however small a plane: 64 x 64.
private let leastTapLimit = 1 << 12

extension WindowedPooling {
    /// The windows over an input of shape N x C x positions.
    ///
    /// - Throws: ``OperatorError`` for windows that do not fit the input, and for large ones that would lie in padding for
    ///   the most part.
    func windows(_ input: Shape) throws(OperatorError) -> Windows {
        guard input.rank >= 3 else { throw .input(0, problem: "\(input) has no positions to pool") }
        let windows = try windowAttributes.windows(over: Array(input.extents[2...]))
        // A window that lies in padding only would have nothing to pool.
        for axis in windows.axes where max(axis.paddingBefore, axis.paddingAfter) >= axis.span {
            throw .attribute("pads", problem: "a padding as large as the window")
        }
        // With padding up to their own extent, windows of any size fit. Kernels visit taps in padding too, and lists of taps
        // are as long: beyond what there is to see both only cost time, which a file must not be able to ask for.
        let plane = Shape(windows.axes.map(\.input)).checkedCount() ?? 1 << 40
        guard Shape(windows.kernel).checkedCount(limit: max(leastTapLimit, 4 * plane)) != nil else {
            throw .attribute(
                "kernel_shape",
                problem: "\(Shape(windows.kernel)) is far larger than the \(plane) positions that are pooled")
        }
        return windows
    }

    func pooledShape(_ input: Shape) throws(OperatorError) -> Shape {
        Shape(Array(input.extents[..<2]) + (try windows(input).outputs))
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        // Indices count all elements before, so that any cut would change them.
        guard signature.outputs.count == 1 else { return AxisLinks() }
        return .channelwise(signature, reason: "pooling mixes its positions")
    }
}

extension AxisLinks {
    /// Batch and channels of input 0 are those of output 0; positions are frozen.
    static func channelwise(_ signature: Signature, reason: String) -> AxisLinks {
        var links = AxisLinks()
        let rank = signature.inputShape(0).rank
        for axis in 0..<min(2, rank) { links.link(.input(0, axis: axis), .output(0, axis: axis)) }
        for axis in 2..<max(2, rank) { links.frozen.append((.input(0, axis: axis), reason)) }
        return links
    }
}
