import EspalierTensors

/// For every window over one plane (one channel of one sample) the positions that it sees, in row-major order.
struct WindowPositions: Sendable {
    /// The positions of all windows, one window after the other.
    private let positions: [Int]
    /// Where each window's positions start, and where the last one's end.
    private let starts: [Int]
    /// For each window, how many of its taps lie on the input or on padding that the node asks for.
    let paddedCounts: [Int]
    /// The elements of one plane of the input.
    let planeCount: Int

    var windowCount: Int { paddedCounts.count }

    /// More positions than this would be memory and time that no network asks for.
    private static let limit = 1 << 28

    init(_ windows: Windows) throws(OperatorError) {
        let axes = windows.axes
        let plane = Shape(axes.map(\.input))
        let outputs = Shape(windows.outputs)
        planeCount = try plane.requireCount()
        var total = try outputs.requireCount()
        for axis in axes {
            let (product, overflow) = total.multipliedReportingOverflow(
                by: min(axis.kernel, max(axis.input, 1)))
            guard !overflow, product <= Self.limit else {
                throw .unsupported("windows of \(Shape(windows.kernel)) over \(plane)")
            }
            total = product
        }
        var positions: [Int] = []
        var starts = [0]
        var counts: [Int] = []
        let strides = plane.strides
        outputs.forEachCoordinate { window in
            var seen = [0]
            var count = 1
            for (axis, index) in window.enumerated() {
                let taps = axes[axis].taps(at: index)
                seen = seen.flatMap { start in
                    taps.map { start + axes[axis].position(output: index, tap: $0) * strides[axis] }
                }
                count *= axes[axis].paddedTaps(at: index).count
            }
            positions += seen
            starts.append(positions.count)
            counts.append(count)
        }
        self.positions = positions
        self.starts = starts
        paddedCounts = counts
    }

    /// Calls `body` with each window and its positions.
    @inline(__always)
    func forEachWindow(_ body: (_ window: Int, _ positions: UnsafeBufferPointer<Int>) -> Void) {
        positions.withUnsafeBufferPointer { positions in
            for window in 0..<windowCount {
                body(window, UnsafeBufferPointer(rebasing: positions[starts[window]..<starts[window + 1]]))
            }
        }
    }
}
