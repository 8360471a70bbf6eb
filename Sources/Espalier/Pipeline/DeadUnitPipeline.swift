package import EspalierGraphs
package import EspalierKernels
import EspalierOperators
package import EspalierPruning
import EspalierTensors
package import EspalierTraining

/// Removes units that are constant on some data, and makes sure that the outputs on them stay.
package struct DeadUnitPipeline {
    /// Layers to leave alone.
    package var keep: [NamePattern]
    package let lane: Lane

    package init(keep: [NamePattern], lane: Lane) {
        self.keep = keep
        self.lane = lane
    }

    package struct Outcome {
        package let graph: Graph
        package let plan: PrunePlan
        package let receipt: Receipt
        package let unitCount: Int
        /// Of the outputs for all samples.
        package let comparison: OutputComparison
    }

    /// - Parameter dataset: on all of which outputs stay; no labels are needed.
    /// - Throws: ``PruningError``, also if outputs differ by more than rounding; ``TrainingError``, ``ExecutionError``,
    ///   ``DataError``.
    package func run(_ graph: Graph, dataset: Dataset) throws -> Outcome {
        let size = graph.batchSize(wanted: min(64, dataset.sampleCount))
        let evidence = try EvidenceCollector(dataset, batchSize: size, lane: lane)
            .collect(DeadUnits.requiredEvidence, from: graph)
        let binding = try InputBinding(graph, dataset)
        let resolved = try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: 1))
        let dead = try DeadUnits(resolved, evidence: evidence, keep: keep)
        let result = try dead.removed()
        let portions = VerificationInputs.portions(of: dataset.sampleCount, for: graph, wanted: size)
        let comparison = try OutputComparison(
            graph, result, batches: portions.lazy.map { binding.tensors(of: dataset, samples: $0) })
        guard comparison.relativeDifference <= Self.tolerance else {
            throw PruningError.surgery(
                "outputs differ by \(comparison.maxAbsoluteDifference) without the units that seemed dead")
        }
        let plan = dead.plan
        return Outcome(
            graph: result, plan: plan, receipt: try dead.pruner.receipt(for: plan, after: result),
            unitCount: dead.count, comparison: comparison)
    }

    /// Relative to the outputs' range: sums in another order.
    private static let tolerance = 1e-4
}
