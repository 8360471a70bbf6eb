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
    static func needsLabels(for wanted: Set<EvidenceKind>) -> Bool

    /// Measures those of its kinds that are `wanted`. Runs on the context's lane.
    ///
    /// - Throws: ``ExecutionError`` if the network cannot be run in the way it takes, ``TrainingError``, ``DataError``.
    static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, context: EvidenceContext
    ) throws -> Evidence
}

extension EvidencePass {
    package static func needsLabels(for wanted: Set<EvidenceKind>) -> Bool { true }
}

/// Evidence that needs no data, only the network.
package protocol DataFreePass: Sendable {
    static var kinds: Set<EvidenceKind> { get }

    /// Measures those of its kinds that are `wanted`. Runs on `lane`.
    ///
    /// - Parameter inputShapes: of inputs whose shapes the network leaves open; other open extents are taken for 1.
    /// - Throws: ``ExecutionError``, ``PruningError``, ``ResolutionError`` or ``GraphError`` if the network cannot be taken so.
    static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, inputShapes: [ValueID: Shape], lane: Lane
    ) throws -> Evidence
}

/// All passes, one line each.
package enum EvidencePasses {
    package static let dataFree: [any DataFreePass.Type] = [
        SynapticFlow.self
    ]

    package static let all: [any EvidencePass.Type] = [
        GradientMoments.self,
        PerSampleGradients.self,
        GradientFlow.self,
        ActivationStatistics.self,
    ]
}

/// On what, and where, evidence is measured.
package struct EvidenceContext {
    package let dataset: Dataset
    /// Whose gradients are meant; each sample's own. Nil for data without labels, where passes that need it refuse.
    package let loss: (any Loss)?
    /// Samples at a time, for speed alone; at most as many as there are.
    package let batchSize: Int
    /// The caller's lane.
    package let lane: Lane
    /// For passes that draw labels, probes or projections.
    package let random: RandomSource
    /// Random sign vectors for each sample, where the Jacobian is probed.
    package let probeCount: Int
    /// Targets drawn from the network's own distribution for each sample.
    package let drawCount: Int
    /// Called before every batch; may throw to stop.
    package let willTakeBatch: () throws -> Void

    /// - Throws: ``TrainingError/mismatch(_:)`` if there is none.
    package func requiredLoss() throws(TrainingError) -> any Loss {
        guard let loss else {
            throw .mismatch("\(dataset.name) has no labels, and gradients of a loss need them")
        }
        return loss
    }

    /// The loss as the likelihood that Fisher information and curvature are of.
    ///
    /// - Throws: ``TrainingError/mismatch(_:)`` if it is none.
    package func likelihood() throws(TrainingError) -> any LikelihoodLoss {
        let loss = try requiredLoss()
        guard let likelihood = loss as? any LikelihoodLoss else {
            throw .mismatch("Fisher information needs cross-entropy or squared error, not \(type(of: loss))")
        }
        return likelihood
    }

    /// The data in their order, in batches of ``batchSize`` or of another size; the last one has what is left.
    package func batcher(batchSize: Int? = nil) throws(DataError) -> Batcher {
        try Batcher(dataset, batchSize: batchSize ?? self.batchSize, seed: 0, shuffles: false)
    }
}
