package import EspalierGraphs
package import EspalierKernels
package import EspalierTensors
package import EspalierTraining

/// Measures on data what criteria require: each kind of pass over the data is made once, whoever asks for it.
package struct EvidenceCollector {
    private let context: EvidenceContext

    /// - Parameters:
    ///   - loss: whose gradients are meant, each sample's own; nil for the usual one, if there are labels.
    ///   - seed: for what is drawn at random on the way.
    ///   - probeCount: see ``EvidenceContext/probeCount``.
    ///   - drawCount: see ``EvidenceContext/drawCount``.
    ///   - willTakeBatch: see ``EvidenceContext/willTakeBatch``.
    package init(
        _ dataset: Dataset, loss: (any Loss)? = nil, batchSize: Int = 64, seed: UInt64 = 0,
        probeCount: Int = 8, drawCount: Int = 1, lane: Lane,
        willTakeBatch: @escaping () throws -> Void = {}
    ) {
        // Passes that take losses are not made on data without labels.
        let loss = loss ?? (try? Evaluator.usualLoss(for: dataset))
        context = EvidenceContext(
            dataset: dataset, loss: loss, batchSize: min(batchSize, dataset.sampleCount), lane: lane,
            random: RandomSource(seed: seed).split("evidence"), probeCount: max(1, probeCount),
            drawCount: max(1, drawCount), willTakeBatch: willTakeBatch)
    }

    /// Those of `kinds` that can be had without data.
    package static func collectWithoutData(
        _ kinds: Set<EvidenceKind>, from graph: Graph, inputShapes: [ValueID: Shape] = [:], lane: Lane
    ) throws -> Evidence {
        var evidence = Evidence()
        for pass in EvidencePasses.dataFree {
            let wanted = kinds.intersection(pass.kinds)
            guard !wanted.isEmpty else { continue }
            let start = ContinuousClock.now
            evidence.merge(
                try lane.run {
                    try pass.collect(wanted, from: graph, inputShapes: inputShapes, lane: lane)
                })
            let elapsed = (ContinuousClock.now - start) / .seconds(1)
            evidence.costs.append(.init(kinds: wanted, seconds: elapsed))
        }
        return evidence
    }

    /// Kinds that no pass measures are left out; the criterion that needs one then says so.
    ///
    /// - Throws: ``ExecutionError`` if the network cannot be run in the way a pass takes, ``TrainingError``,
    ///   ``DataError``; ``TrainingError/mismatch(_:)`` also if a pass needs labels and the data have none.
    package func collect(_ kinds: Set<EvidenceKind>, from graph: Graph) throws -> Evidence {
        guard !kinds.isEmpty else { return .none }
        return try context.lane.run {
            var evidence = try Self.collectWithoutData(
                kinds, from: graph,
                inputShapes: InputBinding(graph, context.dataset).shapes(batchSize: 1), lane: context.lane)
            evidence.sampleCount = context.dataset.sampleCount
            for pass in EvidencePasses.all {
                let wanted = kinds.intersection(pass.kinds)
                guard !wanted.isEmpty else { continue }
                guard context.dataset.isLabelled || !pass.needsLabels(for: wanted) else {
                    throw TrainingError.mismatch(
                        "\(wanted.map(\.rawValue).sorted().joined(separator: " and ")) need labels, which "
                            + "\(context.dataset.name) does not have")
                }
                let start = ContinuousClock.now
                let found = try pass.collect(wanted, from: graph, context: context)
                evidence.merge(found)
                let elapsed = (ContinuousClock.now - start) / .seconds(1)
                evidence.costs.append(.init(kinds: wanted, seconds: elapsed))
            }
            return evidence
        }
    }
}
