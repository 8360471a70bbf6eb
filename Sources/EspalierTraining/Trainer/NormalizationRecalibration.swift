import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierOperators

/// Measures the stored statistics of batch normalisation anew: after pruning, those of the dense network are wrong.
///
/// Runs training-mode forward passes, by which the statistics become running means over the batches; weights do not
/// change.
package struct NormalizationRecalibration {
    /// Statistics are exponential means with the network's own momentum, commonly 0.9: after this many batches the old
    /// statistics weigh less than 0.2 %.
    private static let batchCount = 60
    private static let batchSize = 100

    private let lane: Lane
    private let seed: UInt64

    package init(lane: Lane, seed: UInt64 = 0) {
        self.lane = lane
        self.seed = seed
    }

    /// `graph` with new statistics; the same graph if no node keeps any.
    ///
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network, ``ExecutionError``.
    package func applied(to graph: Graph, data: Dataset) throws -> Graph {
        let size = min(Self.batchSize, data.sampleCount)
        let binding = try InputBinding(graph, data)
        let resolved = try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: size))
        let store = ParameterStore(resolved)
        guard let output = graph.outputs.first, !store.state.isEmpty else { return graph }
        let options = TrainingSession.Options(
            phase: .training(frozenNormalization: false, seed: seed), threads: lane.threads)
        return try lane.run {
            let session = try TrainingSession(
                resolved, outputs: [output], parameters: store, options: options)
            let batcher = try Batcher(data, batchSize: size, seed: seed, dropsPartialBatch: true)
            var done = 0
            var epoch = 0
            while done < Self.batchCount {
                for batch in batcher.batches(epoch: epoch) where done < Self.batchCount {
                    let others = binding.feed(batch, of: batcher) { session.input(graph.name(of: $0)) }
                    for (id, tensor) in others { try session.setInput(graph.name(of: id), to: tensor) }
                    try session.forward()
                    done += 1
                }
                epoch += 1
            }
            return try store.written(to: graph)
        }
    }
}
