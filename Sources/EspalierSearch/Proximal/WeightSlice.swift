/// Elements of a flat array of parameters that belong to a group: runs of equal length at equal distances.
///
/// That is what some neighbouring positions on one axis of a row-major tensor are, so a coupled group is one slice for each
/// tensor it goes through: the rows of the layer that makes a channel, the columns of the layers that read it.
package struct WeightSlice: Hashable, Sendable {
    /// Where the first run begins.
    package let start: Int
    package let runLength: Int
    /// From the beginning of a run to that of the next.
    package let runStride: Int
    package let runCount: Int

    /// A single run.
    package init(_ range: Range<Int>) {
        start = range.lowerBound
        runLength = range.count
        runStride = range.count
        runCount = 1
    }

    /// Positions on one axis of a row-major tensor.
    ///
    /// - Parameter base: where the tensor begins in the array.
    /// - Precondition: `positions` are on the axis, and the axis is one of the shape.
    package init(axis: Int, positions: Range<Int>, shape: [Int], base: Int = 0) {
        precondition(
            base >= 0 && shape.indices.contains(axis) && positions.lowerBound >= 0
                && positions.upperBound <= shape[axis])
        let inner = shape[(axis + 1)...].reduce(1, *)
        start = base + positions.lowerBound * inner
        runLength = positions.count * inner
        runStride = shape[axis] * inner
        runCount = shape[..<axis].reduce(1, *)
    }

    /// The number of elements.
    package var count: Int { runLength * runCount }

    /// Where the elements lie in the array.
    package var positions: [Int] {
        (0..<runCount).flatMap { run in (0..<runLength).map { start + run * runStride + $0 } }
    }

    /// Calls `body` with the beginning of each run.
    ///
    /// - Precondition: all runs lie in an array of `count` elements.
    func forEachRun(in count: Int, _ body: (Int) -> Void) {
        guard runLength > 0, runCount > 0 else { return }
        precondition(start >= 0 && start + (runCount - 1) * runStride + runLength <= count)
        for run in 0..<runCount { body(start + run * runStride) }
    }
}
