import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import EspalierTraining

/// Inverses of blocks along the diagonal of the damped empirical Fisher matrix, F = damping I + 1/N sum_n g_n g_n^T.
///
/// A parameter of P elements in blocks of b (``BlockLayout``) needs P b numbers of memory and P b work for each sample. The
/// recursion by Sherman, Morrison and Woodbury of Singh & Alistarh (2020) gives the same inverses; adding up first and
/// factorising once is less work for small blocks, and lets the damping be the mean of the diagonal over all weights that
/// are not zero. It is one number for the whole network, as in the paper: if it followed each parameter's own mean, scores of
/// parameters with small gradients could not be compared with those of others.
struct FisherBlocks {
    /// Samples beyond these are not looked at.
    static let sampleLimit = 512

    /// Samples that are collected before blocks are visited: a block is in the cache for all of them.
    private static let chunk = 16

    private struct Part {
        let entry: ParameterStore.Entry
        let layout: BlockLayout
        var blocks: [Double]

        /// The sum of the blocks' diagonals.
        var trace: Double {
            let size = layout.size
            return (0..<layout.count * size).reduce(0) { $0 + blocks[$1 * size + $1 % size] }
        }
    }

    private var parts: [Part]
    private let extent: Int
    private var pending: [Float] = []
    private var pendingCount = 0
    private var sampleCount = 0
    /// Weights that are not zero.
    private var weightCount = 0

    /// Blocks for all weights: parameters of two axes and more.
    init(_ parameters: ParameterStore) {
        extent = parameters.trainableExtent
        parts = parameters.trainable.filter { $0.shape.rank > 1 }.map { entry in
            let layout = BlockLayout(entry.shape)
            let count = layout.count * layout.size * layout.size
            return Part(entry: entry, layout: layout, blocks: [Double](repeating: 0, count: count))
        }
        pending.reserveCapacity(Self.chunk * extent)
    }

    /// Adds one sample's gradient. Weights that are exactly zero count as pruned already: they take no part.
    mutating func add(_ gradients: UnsafeBufferPointer<Float>, weights: UnsafeBufferPointer<Float>) {
        if sampleCount == 0 {
            weightCount = parts.reduce(0) { $0 + $1.entry.range.count { weights[$0] != 0 } }
        }
        for position in 0..<extent { pending.append(weights[position] == 0 ? 0 : gradients[position]) }
        pendingCount += 1
        sampleCount += 1
        if pendingCount == Self.chunk { flush() }
    }

    private mutating func flush() {
        let (count, stride) = (pendingCount, extent)
        let scratch = UnsafeMutablePointer<Double>.allocate(capacity: BlockLayout.largest)
        let rows = UnsafeMutablePointer<Float>.allocate(capacity: BlockLayout.largest * max(count, 1))
        defer {
            scratch.deallocate()
            rows.deallocate()
        }
        pending.withUnsafeBufferPointer { pending in
            guard let base = pending.baseAddress else { return }
            for index in parts.indices {
                let (layout, offset) = (parts[index].layout, parts[index].entry.offset)
                let size = layout.size
                parts[index].blocks.withUnsafeMutableBufferPointer { blocks in
                    guard let target = blocks.baseAddress else { return }
                    for block in 0..<layout.count {
                        let elements = layout.elements(of: block)
                        // The last block of a row is filled up with zeros.
                        rows.update(repeating: 0, count: size * count)
                        for row in 0..<count {
                            (rows + row * size).update(
                                from: base + row * stride + offset + elements.lowerBound,
                                count: elements.count)
                        }
                        OuterProductSums.add(
                            rows, count: count, stride: size, size: size, scratch: scratch,
                            to: target + block * size * size)
                    }
                }
            }
        }
        pending.removeAll(keepingCapacity: true)
        pendingCount = 0
    }

    /// The inverse blocks of each parameter, `float64`, [blocks, size, size].
    ///
    /// - Throws: ``PruningError/scoreNotANumber(criterion:subject:)`` if gradients are not finite.
    mutating func inverses() throws(PruningError) -> [ValueID: Tensor] {
        flush()
        var result: [ValueID: Tensor] = [:]
        let scale = 1 / Double(max(sampleCount, 1))
        let mean = parts.reduce(0) { $0 + $1.trace } * scale / Double(max(weightCount, 1))
        // A network whose gradients all vanish has no curvature to speak of, but must have an inverse.
        let damping = mean > 0 ? mean : 1
        for index in parts.indices {
            let entry = parts[index].entry
            let (count, size) = (parts[index].layout.count, parts[index].layout.size)
            var isRegular = true
            parts[index].blocks.withUnsafeMutableBufferPointer { blocks in
                guard let base = blocks.baseAddress else { return }
                for position in blocks.indices { blocks[position] *= scale }
                for block in 0..<count {
                    let matrix = base + block * size * size
                    for row in 0..<size { matrix[row * size + row] += damping }
                    isRegular = SmallCholesky.invert(matrix, size: size) && isRegular
                }
            }
            guard isRegular else {
                throw .scoreNotANumber(criterion: WoodFisher.information.id, subject: entry.name)
            }
            result[entry.value] = Tensor(shape: [count, size, size], scalars: parts[index].blocks)
            parts[index].blocks = []
        }
        return result
    }
}
