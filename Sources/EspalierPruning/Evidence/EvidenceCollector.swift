package import EspalierGraphs
package import EspalierKernels
import EspalierTensors
package import EspalierTraining

/// Measures on data what criteria require: each kind of pass over the data is made once, whoever asks for it.
package struct EvidenceCollector {
    private let context: EvidenceContext

    /// - Parameters:
    ///   - loss: whose gradients are meant; each sample's own.
    ///   - seed: for what is drawn at random on the way.
    package init(
        _ dataset: Dataset, loss: any Loss, batchSize: Int = 64, seed: UInt64 = 0, lane: Lane
    ) {
        context = EvidenceContext(
            dataset: dataset, loss: loss, batchSize: min(batchSize, dataset.sampleCount), lane: lane,
            random: RandomSource(seed: seed).split("evidence"))
    }

    /// Kinds that no pass measures are left out; the criterion that needs one then says so.
    ///
    /// - Throws: ``ExecutionError`` if the network cannot be run in the way a pass takes, ``TrainingError``,
    ///   ``DataError``.
    package func collect(_ kinds: Set<EvidenceKind>, from graph: Graph) throws -> Evidence {
        guard !kinds.isEmpty else { return .none }
        return try context.lane.run {
            var evidence = Evidence(sampleCount: context.dataset.sampleCount)
            for pass in EvidencePasses.all {
                let wanted = kinds.intersection(pass.kinds)
                guard !wanted.isEmpty else { continue }
                let found = try pass.collect(wanted, from: graph, context: context)
                evidence.tensors.merge(found.tensors) { _, new in new }
            }
            return evidence
        }
    }
}
