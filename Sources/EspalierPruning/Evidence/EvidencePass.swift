package import EspalierGraphs
package import EspalierKernels
package import EspalierTensors
package import EspalierTraining

/// One way of looking at the data from which several kinds of evidence come together.
///
/// To add one: one new file in `Evidence/` and one line in ``EvidencePasses``. Criteria name kinds, never passes; a pass
/// is made once however many criteria ask for its kinds.
package protocol EvidencePass: Sendable {
    /// What it can measure.
    static var kinds: Set<EvidenceKind> { get }

    /// Whether it needs to know what the network should say.
    static var needsLabels: Bool { get }

    /// Measures those of its kinds that are `wanted`. Runs on the context's lane.
    ///
    /// - Throws: ``ExecutionError`` if the network cannot be run in the way it takes, ``TrainingError``, ``DataError``.
    static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, context: EvidenceContext
    ) throws -> Evidence
}

extension EvidencePass {
    package static var needsLabels: Bool { true }
}

/// All passes, one line each.
package enum EvidencePasses {
    package static let all: [any EvidencePass.Type] = [
        GradientMoments.self,
        ActivationStatistics.self,
    ]
}

/// On what, and where, evidence is measured.
package struct EvidenceContext {
    package let dataset: Dataset
    /// Whose gradients are meant; each sample's own.
    package let loss: any Loss
    /// Samples at a time, for speed alone; at most as many as there are.
    package let batchSize: Int
    /// The caller's lane.
    package let lane: Lane
    /// For passes that draw labels, probes or projections.
    package let random: RandomSource

    /// The data in their order, in batches of ``batchSize`` or of another size; the last one has what is left.
    package func batcher(batchSize: Int? = nil) throws(DataError) -> Batcher {
        try Batcher(dataset, batchSize: batchSize ?? self.batchSize, seed: 0, shuffles: false)
    }
}
