import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
package import EspalierPruning
package import EspalierTensors
package import EspalierTraining

/// Scores a network by several criteria, for each kind of pass over the data reading them once.
package struct ScorePipeline {
    package var criteria: [any Criterion]
    /// ``Granularity/element`` or ``Granularity/channel``; nil for both, as far as a criterion can score them.
    package var granularity: Granularity?
    package var aggregation: Reduction?
    package var normalization: ScoreNormalization?
    /// Shapes of inputs which the network leaves open; those that are not given are those of the data's samples.
    package var inputShapes: [ValueID: Shape] = [:]
    /// Samples that evidence is measured on.
    package var evidenceSamples = 2000
    /// Whether the saliency of units is to be compared with how often they fire, where the data have labels.
    package var analysesFiring = false
    package var seed: UInt64 = 0
    /// Evidence that is at hand already: what training left behind.
    package var recorded = Evidence.none
    /// Called while evidence is measured, before every batch; may throw to stop.
    package var willMeasureBatch: () throws -> Void = {}
    package let lane: Lane

    package init(_ criteria: [any Criterion], lane: Lane) {
        self.criteria = criteria
        self.lane = lane
    }

    /// What one criterion says, and what that took.
    package struct Scores {
        package let criterion: any Criterion
        /// By elements first, where both are asked for.
        package let results: [Scorer.Result]
        package let seconds: Double
        /// Of all passes that it took part in; shared ones count for each criterion.
        package let evidenceSeconds: Double
        package let evidenceBytes: Int
    }

    package struct Outcome {
        package let scores: [Scores]
        package let firing: FiringAnalysis?
        package let sampleCount: Int
    }

    /// - Parameter dataset: needed by criteria that measure; of more samples than ``evidenceSamples`` a seeded part is used.
    /// - Throws: ``PruningError``, ``TrainingError``, ``ExecutionError``, ``DataError``.
    package func run(_ graph: Graph, dataset: Dataset?) throws -> Outcome {
        let shapes = try dataset.map { try InputBinding(graph, $0).shapes(batchSize: 1) } ?? [:]
        let pruner = try Pruner(graph, inputShapes: shapes.merging(inputShapes) { $1 })
        var evidence = recorded
        if let dataset {
            evidence.merge(try self.evidence(graph, dataset: dataset))
        } else {
            evidence.merge(
                try EvidenceCollector.collectWithoutData(
                    wantedKinds, from: graph, inputShapes: inputShapes, lane: lane))
        }
        let scores = try criteria.map { try score($0, pruner, evidence: evidence) }
        return Outcome(
            scores: scores, firing: analysesFiring ? try FiringAnalysis(pruner, evidence: evidence) : nil,
            sampleCount: evidence.sampleCount)
    }

    /// What the criteria require and is not at hand.
    private var wantedKinds: Set<EvidenceKind> {
        criteria.reduce(into: Set<EvidenceKind>()) { $0.formUnion($1.requiredEvidence) }
            .subtracting(recorded.kinds)
    }

    private func evidence(_ graph: Graph, dataset: Dataset) throws -> Evidence {
        var kinds = wantedKinds
        if analysesFiring { kinds.formUnion(FiringAnalysis.requiredEvidence) }
        guard !kinds.isEmpty else { return .none }
        func collect(_ kinds: Set<EvidenceKind>) throws -> Evidence {
            try EvidenceCollector.collect(
                kinds, from: graph, dataset: dataset, samples: evidenceSamples, seed: seed, lane: lane,
                willTakeBatch: willMeasureBatch)
        }
        let saliency = EmpiricalFisher().requiredEvidence
        guard analysesFiring, dataset.isLabelled, !saliency.isSubset(of: kinds) else {
            return try collect(kinds)
        }
        do {
            return try collect(kinds.union(saliency))
        } catch is ExecutionError {
            // Firing can be told of networks that have no gradient, too.
            return try collect(kinds)
        }
    }

    private func score(_ criterion: any Criterion, _ pruner: Pruner, evidence: Evidence) throws -> Scores {
        let required = criterion.requiredEvidence
        if let kind = required.subtracting(evidence.kinds).min(by: { $0.rawValue < $1.rawValue }) {
            throw PruningError.missingEvidence(
                criterion: criterion.information.id, kind: kind, parameter: "any parameter")
        }
        let known = type(of: criterion).granularities
        let wanted =
            granularity.map { [$0] } ?? [Granularity.element, .channel].filter { known.contains($0.kind) }
        let scorer = Scorer(pruner, aggregation: aggregation, normalization: normalization)
        let start = ContinuousClock.now
        let results = try wanted.map {
            try scorer.scores(criterion, granularity: $0, evidence: evidence)
        }
        return Scores(
            criterion: criterion, results: results, seconds: (ContinuousClock.now - start) / .seconds(1),
            evidenceSeconds: evidence.seconds(for: required),
            evidenceBytes: evidence.byteCount(of: required))
    }
}
