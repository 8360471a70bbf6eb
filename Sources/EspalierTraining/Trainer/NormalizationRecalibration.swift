import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierOperators
import EspalierTensors

/// Takes the running statistics of batch norm anew, as is due after pruning: the stored ones describe activations that
/// the network no longer has.
///
/// The new statistics are the mean of those of several batches in training mode, with no share of the old ones.
package struct NormalizationRecalibration {
    private let lane: Lane
    private let seed: UInt64
    private let batchCount: Int
    private let batchSize: Int

    /// - Parameters:
    ///   - seed: decides which samples make up the batches.
    ///   - batchCount: at most that many batches.
    ///   - batchSize: of so many samples. A network whose nodes refuse that number gets its own, and as many samples in all.
    package init(lane: Lane, seed: UInt64 = 0, batchCount: Int = 50, batchSize: Int = 200) {
        self.lane = lane
        self.seed = seed
        self.batchCount = batchCount
        self.batchSize = batchSize
    }

    /// `graph` with new statistics and all else as it is; the same graph if no node keeps any, or if it takes single samples only,
    /// which say nothing of how samples differ.
    ///
    /// - Parameter data: labels are not needed.
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network, ``ExecutionError``, ``DataError``.
    package func applied(to graph: Graph, data: Dataset) throws -> Graph {
        let binding = try InputBinding(graph, data)
        let size = graph.batchSize(wanted: min(batchSize, data.sampleCount))
        guard size > 1 else { return graph }
        let count = max(1, batchCount * batchSize / size)
        let shapes = binding.shapes(batchSize: size)
        let resolved = try ResolvedGraph(graph, inputShapes: shapes)
        var forgetting = Patch(for: graph)
        var statistics: Set<ValueID> = []
        for node in graph.nodes {
            guard let operation = resolved.operators[node.id] as? any RunningStatistics else { continue }
            let ports = operation.statisticsPorts.filter { node.inputs.indices.contains($0) }
            guard !ports.isEmpty else { continue }
            statistics.formUnion(ports.compactMap { node.inputs[$0] }.filter { graph.constants[$0] != nil })
            for (name, value) in operation.forgettingEdits.attributes {
                forgetting.append(.setAttribute(node.id, name: name, value))
            }
        }
        guard !statistics.isEmpty else { return graph }
        let forgetful = try ResolvedGraph(try graph.applying(forgetting), inputShapes: shapes)
        let batcher = try Batcher(data, batchSize: size, seed: seed, dropsPartialBatch: true)
        let means = try lane.run {
            try measure(
                forgetful, statistics, binding: binding, batcher: batcher,
                batches: Array(batcher.batches(epoch: 0).prefix(count)))
        }
        var patch = Patch(for: graph)
        for (id, tensor) in means { patch.append(.setConstant(id, tensor)) }
        return try graph.applying(patch)
    }

    /// The mean over `batches` of what each leaves in `statistics`.
    private func measure(
        _ resolved: ResolvedGraph, _ statistics: Set<ValueID>, binding: InputBinding, batcher: Batcher,
        batches: [Batch]
    ) throws -> [(ValueID, Tensor)] {
        let graph = resolved.graph
        let store = ParameterStore(resolved, trainable: [])
        let session = try TrainingSession(
            resolved, outputs: graph.outputs, parameters: store,
            options: TrainingSession.Options(threads: lane.threads))
        var sums = [Double](repeating: 0, count: store.extent)
        for batch in batches {
            let others = binding.feed(batch, of: batcher) { session.input(graph.name(of: $0)) }
            for (id, tensor) in others { try session.setInput(graph.name(of: id), to: tensor) }
            try session.forward()
            for index in sums.indices { sums[index] += Double(store.values[index]) }
        }
        return store.state.filter { statistics.contains($0.value) }.map { entry in
            let values = sums[entry.range].map { Float($0 / Double(batches.count)) }
            return (entry.value, Tensor(shape: entry.shape, scalars: values))
        }
    }
}
