import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
package import EspalierTensors

/// What one inference of each of several networks takes on this machine.
package enum NetworkLatency {
    /// Milliseconds at the pace at which the first network was measured, in the networks' order; on the lane that computes.
    ///
    /// Those of the first are a median, those of the others that times the median of what they took of the first in each
    /// alternating round: medians of their own could be of a time when the machine was slower or faster.
    ///
    /// - Parameters:
    ///   - inputs: of all of them, by name.
    ///   - seconds: that measuring takes for each.
    /// - Throws: ``ExecutionError``.
    package static func milliseconds(
        of graphs: [Graph], inputs: [String: Tensor], threads: Int, costs: KernelCostModel, seconds: Double
    ) throws -> [Double] {
        let plans = try graphs.map { graph in
            let tensors = Dictionary(
                uniqueKeysWithValues: graph.inputs.compactMap { id in
                    inputs[graph.name(of: id)].map { (id, $0) }
                })
            let plan = try InferencePlan(
                graph, inputShapes: tensors.mapValues(\.shape), outputs: graph.outputs, threads: threads,
                sparsity: .whereFaster(costs))
            try plan.run(tensors)
            return plan
        }
        let series = try AlternatingTimer(seconds: seconds).measure(plans.map { plan in { try plan.run() } })
        guard let first = series.first else { return [] }
        return series.map { first.milliseconds.median * $0.ratio(to: first).median }
    }
}
