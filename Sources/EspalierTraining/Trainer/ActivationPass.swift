package import EspalierExecution
package import EspalierGraphs

/// Values inside a network that does not change, batch after batch: what evidence on activations is made of.
///
/// Nothing is fused or folded, so that every value is what the file says. Runs on the caller's lane.
package final class ActivationPass {
    private let graph: Graph
    private let binding: InputBinding
    private let values: [ValueID]
    private let threads: Int
    private var plans: [Int: InferencePlan] = [:]

    /// - Parameter values: what to compute; outputs of the plans by position.
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network.
    package init(
        _ graph: Graph, dataset: Dataset, values: [ValueID], threads: Int = 1
    ) throws(TrainingError) {
        self.graph = graph
        self.values = values
        self.threads = threads
        binding = try InputBinding(graph, dataset)
    }

    /// Runs a batch; the values are the outputs of the plan returned, until the next run.
    ///
    /// - Throws: ``ExecutionError`` naming the node that cannot run.
    package func run(_ batch: Batch, of batcher: Batcher) throws -> InferencePlan {
        let plan = try plan(batchSize: batch.count)
        let others = binding.feed(batch, of: batcher) { plan.input($0) }
        if others.isEmpty { try plan.run() } else { try plan.run(others) }
        return plan
    }

    private func plan(batchSize: Int) throws(ExecutionError) -> InferencePlan {
        if let plan = plans[batchSize] { return plan }
        let plan = try InferencePlan(
            graph, inputShapes: binding.shapes(batchSize: batchSize), outputs: values, threads: threads,
            optimizes: false)
        plans[batchSize] = plan
        return plan
    }
}
