package import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
package import EspalierOperators
package import EspalierPruning
package import EspalierTensors

/// A network planned twice for the same inputs: as it would be run, and dense.
///
/// Belongs to the lane that made it.
package final class BenchmarkedNetwork {
    package let path: String
    package let inputs: [String: Tensor]
    package let resolved: ResolvedGraph
    /// Of one inference, all samples together.
    package let summary: ModelSummary
    /// With zeros among the weights left out where that is faster.
    package let plan: InferencePlan
    package let densePlan: InferencePlan

    /// Plans, and runs both plans once on the inputs, which stay in place.
    ///
    /// - Parameters:
    ///   - path: the model's file, for other runtimes.
    ///   - inputs: of every graph input, by name.
    ///   - costs: by which layers are chosen whose zeros are left out.
    /// - Throws: ``ExecutionError``, ``ResolutionError``.
    package init(
        path: String, graph: Graph, inputs: [String: Tensor], threads: Int, costs: KernelCostModel
    ) throws {
        self.path = path
        self.inputs = inputs
        var tensors: [ValueID: Tensor] = [:]
        for id in graph.inputs { tensors[id] = inputs[graph.name(of: id)] }
        let shapes = tensors.mapValues(\.shape)
        resolved = try ResolvedGraph(graph, inputShapes: shapes)
        summary = ModelSummary(resolved)
        func planned(_ sparsity: SparsityUse) throws -> InferencePlan {
            let plan = try InferencePlan(
                graph, inputShapes: shapes, outputs: graph.outputs, threads: threads,
                sparsity: sparsity)
            try plan.run(tensors)
            return plan
        }
        plan = try planned(.whereFaster(costs))
        densePlan = try planned(.never)
    }

    /// Samples of one inference: the first input's extent on axis 0.
    package var batch: Int {
        resolved.graph.inputs.first.flatMap { resolved.facts[$0]?.shape.extents.first } ?? 1
    }

    /// The outputs of the last run of ``plan``, by name.
    package func outputs() -> [String: Tensor] {
        let graph = resolved.graph
        return Dictionary(
            graph.outputs.enumerated().map { (graph.name(of: $1), plan.output($0)) },
            uniquingKeysWith: { first, _ in first })
    }
}
