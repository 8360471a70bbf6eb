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
    /// With what constants alone determine among them: products by it are by weights.
    package let resolved: ResolvedGraph
    /// Of one inference, all samples together.
    package let summary: ModelSummary
    /// With zeros among the weights left out where that is faster.
    package let plan: InferencePlan
    package let densePlan: InferencePlan
    package let precision: Precision
    /// How far the outputs of ``plan`` are from those in `float32`; nil if that is what it computes in.
    package let float32Difference: TensorDifference?

    /// Plans, and runs both plans once on the inputs, which stay in place.
    ///
    /// - Parameters:
    ///   - path: the model's file, for other runtimes.
    ///   - inputs: of every graph input, by name.
    ///   - costs: by which layers are chosen whose zeros are left out.
    ///   - precision: of both plans.
    /// - Throws: ``ExecutionError``, ``ResolutionError``.
    package init(
        path: String, graph: Graph, inputs: [String: Tensor], threads: Int, costs: KernelCostModel,
        precision: Precision = .float32
    ) throws {
        self.path = path
        self.inputs = inputs
        var tensors: [ValueID: Tensor] = [:]
        for id in graph.inputs { tensors[id] = inputs[graph.name(of: id)] }
        let shapes = tensors.mapValues(\.shape)
        resolved = try ResolvedGraph(graph, inputShapes: shapes).foldingConstants()
        summary = ModelSummary(resolved)
        func planned(_ sparsity: SparsityUse, _ precision: Precision) throws -> InferencePlan {
            let plan = try InferencePlan(
                graph, inputShapes: shapes, outputs: graph.outputs, threads: threads,
                sparsity: sparsity, precision: precision)
            try plan.run(tensors)
            return plan
        }
        self.precision = precision
        plan = try planned(.whereFaster(costs), precision)
        densePlan = try planned(.never, precision)
        guard precision != .float32 else {
            float32Difference = nil
            return
        }
        let exact = try planned(.whereFaster(costs), .float32)
        var difference = TensorDifference()
        for index in graph.outputs.indices { difference.compare(exact.output(index), plan.output(index)) }
        float32Difference = difference
    }

    /// What layers are computed in whose zeros are not left out: `float32` where the processor has nothing better for it.
    package var densePrecision: Precision {
        precision == .bfloat16 && DNNLibrary.hasNativeBFloat16 ? .bfloat16 : .float32
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
