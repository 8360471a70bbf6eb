import EspalierTensors

/// The groups of N:M sparsity: consecutive inputs of one output, at one index of every other axis (one position of a
/// kernel). The last group of a row may be incomplete.
enum InputGroups {
    /// The rank of each element among those of its group that go, 0 for the first to go; `size - kept` for those that stay.
    /// Of an incomplete group of m, min(m, kept) stay.
    ///
    /// - Parameters:
    ///   - isGone: elements that go first, whatever their scores.
    ///   - axis: the axis of the inputs.
    static func ranks(
        of scores: [Float], isGone: [Bool], shape: Shape, axis: Int, kept: Int, size: Int
    ) -> [UInt32] {
        var ranks = [UInt32](repeating: UInt32(size - kept), count: scores.count)
        let (extent, inner) = (shape[axis], shape.strides[axis])
        var group: [Ranked] = []
        group.reserveCapacity(size)
        for outer in 0..<shape.count(0..<axis) {
            for offset in 0..<inner {
                for first in stride(from: 0, to: extent, by: size) {
                    let indices = first..<min(first + size, extent)
                    guard indices.count > kept else { continue }
                    group.removeAll(keepingCapacity: true)
                    for index in indices {
                        let position = (outer * extent + index) * inner + offset
                        let score = isGone[position] ? -.infinity : scores[position]
                        group.append(Ranked(score: score, position: position))
                    }
                    group.sort()
                    for (rank, element) in group.prefix(indices.count - kept).enumerated() {
                        ranks[element.position] = UInt32(rank)
                    }
                }
            }
        }
        return ranks
    }
}
