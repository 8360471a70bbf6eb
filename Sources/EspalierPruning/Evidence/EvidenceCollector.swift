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
        guard kinds.contains(.meanSquaredGradients) else {
            return try collect(kinds, from: graph, batchSize: batchSize, squares: .none)
        }
        do {
            return try collect(kinds, from: graph, batchSize: batchSize, squares: .perSample)
        } catch ExecutionError.notDifferentiable {
            // A parameter that is used twice, or an operator without per-sample squares. One sample at a time, the gradient is
            // that sample's own: exact for every network, and slow. A node without any gradient is refused here again.
            return try collect(kinds, from: graph, batchSize: 1, squares: .ofGradients)
        }
    }

    /// Where squared per-sample gradients come from.
    private enum Squares {
        case none
        /// The session sums them over the batch.
        case perSample
        /// Batches of one: the gradient is squared.
        case ofGradients
    }

    private func collect(
        _ kinds: Set<EvidenceKind>, from graph: Graph, batchSize: Int, squares: Squares
    ) throws -> Evidence {
        // A last batch of fewer samples gets a program of its own.
        let batcher = try Batcher(dataset, batchSize: batchSize, seed: 0, shuffles: false)
        let pass = try GradientPass(
            graph, dataset: dataset, threads: lane.threads, perSampleSquares: squares == .perSample)
        let extent = pass.parameters.trainableExtent
        var gradientSums = [Double](repeating: 0, count: extent)
        var squareSums = gradientSums
        for batch in batcher.batches(epoch: 0) {
            let session = try pass.run(batch, of: batcher, loss: loss)
            let gradients = session.parameters.gradients
            for index in 0..<extent { gradientSums[index] += Double(gradients[index]) }
            if squares == .ofGradients {
                for index in 0..<extent {
                    squareSums[index] += Double(gradients[index]) * Double(gradients[index])
                }
            } else if let values = session.squares {
                for index in 0..<extent { squareSums[index] += Double(values[index]) }
            }
        }
        var evidence = Evidence(sampleCount: dataset.sampleCount)
        let scale = 1 / Double(dataset.sampleCount)
        for entry in pass.parameters.trainable {
            func mean(_ sums: [Double]) -> Tensor {
                Tensor(shape: entry.shape, scalars: sums[entry.range].map { Float($0 * scale) })
            }
            if kinds.contains(.meanGradients) { evidence[.meanGradients][entry.value] = mean(gradientSums) }
            if squares != .none { evidence[.meanSquaredGradients][entry.value] = mean(squareSums) }
        }
        return evidence
    }
}
