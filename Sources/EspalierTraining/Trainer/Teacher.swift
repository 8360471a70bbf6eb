package import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import Synchronization

/// A network that others learn from.
///
/// What it says of samples that never change is computed once for a data set, for all epochs of all runs that learn from this
/// teacher: where little is left of a network, asking a dense one at every step would be much of the time.
package final class Teacher: Sendable {
    package let graph: Graph
    /// Outputs of more bytes than this, for all samples of a data set, are not kept but computed at every step.
    let mostBytes: Int

    private struct Key: Hashable {
        var fingerprint: String
        var output: ValueID
        /// Has an influence on rounding.
        var batchSize: Int
    }

    private let known = Mutex<[Key: [Float]]>([:])

    package init(_ graph: Graph, mostBytes: Int = 1 << 26) {
        self.graph = graph
        self.mostBytes = mostBytes
    }

    /// The outputs for all samples, [samples, outputs]. Runs that ask while they are being computed wait.
    ///
    /// - Throws: `CancellationError` if it was cancelled, ``TrainingError``, ``ExecutionError`` or ``DataError``.
    func outputs(
        _ output: ValueID, for dataset: Dataset, batchSize: Int, lane: Lane, isCancelled: () -> Bool
    ) throws -> [Float] {
        let key = Key(fingerprint: dataset.fingerprint, output: output, batchSize: batchSize)
        return try known.withLock { known in
            if let outputs = known[key] { return outputs }
            let evaluator = try Evaluator(graph, output: output, batchSize: batchSize, lane: lane)
            let outputs = try evaluator.outputs(for: dataset) {
                if isCancelled() { throw CancellationError() }
            }
            known[key] = outputs
            return outputs
        }
    }
}

/// What a teacher says of the samples of one step after another.
final class TeacherFeed {
    private let teacher: Teacher
    private let output: ValueID
    private let batcher: Batcher
    private let lane: Lane
    /// For samples that change, or outputs that are too large to be kept.
    private let evaluator: Evaluator
    private let keepsOutputs: Bool
    private let columns: Int
    /// Of all samples.
    private var outputs: [Float] = []
    /// Of those of a step.
    private var rows: [Float] = []

    var graph: Graph { teacher.graph }

    init(_ teacher: Teacher, batcher: Batcher, lane: Lane) throws {
        let (graph, batchSize) = (teacher.graph, batcher.batchSize)
        (self.teacher, self.batcher, self.lane) = (teacher, batcher, lane)
        output = try graph.lossOutput(for: batcher.dataset, batchSize: batchSize)
        evaluator = try Evaluator(graph, output: output, batchSize: batchSize, lane: lane)
        let shapes = try InputBinding(graph, batcher.dataset).shapes(batchSize: batchSize)
        let resolved = try ResolvedGraph(graph, inputShapes: shapes)
        columns = (resolved.facts[output]?.shape.count ?? 0) / batchSize
        let bytes = batcher.dataset.sampleCount * columns * MemoryLayout<Float>.stride
        keepsOutputs = batcher.augmentation == .none && columns > 0 && bytes <= teacher.mostBytes
    }

    /// Computes what does not change from epoch to epoch, if that was not done before.
    ///
    /// - Throws: `CancellationError` if it was cancelled, and what the network throws.
    func prepare(isCancelled: () -> Bool) throws {
        guard keepsOutputs, outputs.isEmpty else { return }
        outputs = try teacher.outputs(
            output, for: batcher.dataset, batchSize: batcher.batchSize, lane: lane, isCancelled: isCancelled)
    }

    /// The outputs for a batch, [samples, outputs].
    func withOutputs<Result>(
        for batch: Batch, _ body: (UnsafeBufferPointer<Float>) throws -> Result
    ) throws -> Result {
        guard keepsOutputs else { return try body(evaluator.run(batch, of: batcher)) }
        rows.removeAll(keepingCapacity: true)
        for sample in batch.samples {
            rows.append(contentsOf: outputs[(sample * columns)..<((sample + 1) * columns)])
        }
        return try rows.withUnsafeBufferPointer(body)
    }
}
