import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierTensors
package import EspalierTraining

/// Measures on data what criteria require, all of it in one pass.
///
/// Batch norm is frozen, so that samples do not influence each other. Sums are kept in double precision.
package struct EvidenceCollector {
    private let dataset: Dataset
    private let batchSize: Int
    private let lane: Lane
    private let loss: any Loss

    /// - Parameters:
    ///   - loss: whose gradients are meant; each sample's own.
    package init(_ dataset: Dataset, loss: any Loss, batchSize: Int = 64, lane: Lane) {
        self.dataset = dataset
        self.loss = loss
        self.batchSize = min(batchSize, dataset.sampleCount)
        self.lane = lane
    }

    /// - Throws: ``ExecutionError`` if the network has no per-sample gradients, ``TrainingError``, ``DataError``.
    package func collect(_ kinds: Set<EvidenceKind>, from graph: Graph) throws -> Evidence {
        guard !kinds.isEmpty else { return .none }
        return try lane.run { try collectHere(kinds, from: graph) }
    }

    private func collectHere(_ kinds: Set<EvidenceKind>, from graph: Graph) throws -> Evidence {
        let squares = kinds.contains(.meanSquaredGradients)
        var sums = Sums()
        // A last batch of fewer samples gets a program of its own.
        let batcher = try Batcher(dataset, batchSize: batchSize, seed: 0, shuffles: false)
        let pass = try GradientPass(graph, dataset: dataset, threads: lane.threads, perSampleSquares: squares)
        for batch in batcher.batches(epoch: 0) {
            let session = try pass.run(batch, of: batcher, loss: loss)
            sums.add(session.parameters.gradients, to: \.gradients)
            if let squares = session.squares { sums.add(squares, to: \.squares) }
        }
        var evidence = Evidence(sampleCount: dataset.sampleCount)
        let scale = 1 / Double(dataset.sampleCount)
        for entry in pass.parameters.trainable {
            func tensor(_ values: [Double]) -> Tensor {
                Tensor(shape: entry.shape, scalars: values[entry.range].map { Float($0 * scale) })
            }
            if kinds.contains(.meanGradients) {
                evidence[.meanGradients][entry.value] = tensor(sums.gradients)
            }
            if squares { evidence[.meanSquaredGradients][entry.value] = tensor(sums.squares) }
        }
        return evidence
    }

    private struct Sums {
        var gradients: [Double] = []
        var squares: [Double] = []

        mutating func add(
            _ values: some Collection<Float>, to path: WritableKeyPath<Sums, [Double]>
        ) {
            if self[keyPath: path].isEmpty {
                self[keyPath: path] = [Double](repeating: 0, count: values.count)
            }
            for (index, value) in values.enumerated() { self[keyPath: path][index] += Double(value) }
        }
    }
}
