package import EspalierGraphs
package import EspalierKernels
import EspalierOperators
package import EspalierPruning
package import EspalierRuns
import EspalierTensors
package import EspalierTraining

/// Prunes one part of a network at a time, and measures what that does; then suggests how parts should share a removal.
///
/// Everything is measured on validation data, so that test data stay unseen by the choices which follow from it.
package struct SensitivityPipeline {
    /// Granularity, criterion and which layers take part, as for pruning; targets are those of the suggestion, if any.
    package var request: PruningRequest
    /// The shares of each part to remove, between 0 and 1.
    package var sparsities: [Double]
    /// Samples that the criterion's evidence is measured on.
    package var evidenceSamples = 2000
    /// At most so many samples are evaluated, drawn by the seed; nil for all.
    package var samples: Int?
    /// Whether batch norm's statistics are taken anew at each point. Pruning does so too, and what a network loses only
    /// because its statistics have become wrong says little about what it needs.
    package var recalibrates = true
    /// Training of each point before it is measured; nil for none.
    package var repair: Repair?
    package var seed: UInt64 = 0
    /// Evidence that is at hand already: what training left behind.
    package var recorded = Evidence.none
    package let lane: Lane

    package init(request: PruningRequest, sparsities: [Double], lane: Lane) {
        self.request = request
        self.sparsities = sparsities
        self.lane = lane
    }

    /// A little training, so that the damage is what is left after it (as in NetAdapt, Yang et al. 2018).
    package struct Repair {
        /// Of one epoch on so many training samples, drawn by the seed.
        package var samples: Int
        package var recipe: TrainingRecipe

        package init(samples: Int, recipe: TrainingRecipe) {
            self.samples = samples
            self.recipe = recipe
        }
    }

    package struct Outcome {
        package let sensitivity: RunRecord.Sensitivity
        package let refusals: [RunRecord.Refusal]
        /// Of the network as it is.
        package let dense: LossValue
    }

    /// - Parameters:
    ///   - fit: what evidence and statistics are taken from.
    ///   - validation: with labels: what accuracy and loss are of.
    ///   - progress: told how many evaluations are done, and of how many; may throw to stop.
    /// - Throws: ``PruningError``, ``TrainingError``, ``ExecutionError``, ``DataError``.
    package func run(
        _ graph: Graph, fit: Dataset, validation: Dataset,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> Outcome {
        let start = ContinuousClock.now
        let sample = try samples.map { try validation.evidenceSample($0, seed: seed) } ?? validation
        let pruner = try Pruner(graph, inputShapes: InputBinding(graph, fit).shapes(batchSize: 1))
        let evidence = try evidence(graph, fit: fit)
        let probes = try SensitivityProbes(pruner, request, sparsities: sparsities, evidence: evidence)
        let output = try graph.lossOutput(for: sample, batchSize: 1)
        let recalibration = NormalizationRecalibration(
            lane: lane, seed: seed, batchCount: Self.recalibrationBatches)
        let isRecalibrated =
            recalibrates && pruner.resolved.operators.values.contains { $0 is any RunningStatistics }
        let isPrepared = isRecalibrated || repair != nil
        let total = probes.count + (isPrepared ? 2 : 1)
        var done = 0
        func measured(_ network: Graph) throws -> LossValue {
            let evaluator = try Evaluator(network, output: output, lane: lane)
            let value = try evaluator.evaluate(sample) { _ in try progress(done, total) }.value
            done += 1
            try progress(done, total)
            return value
        }
        func prepared(_ network: Graph) throws -> Graph {
            let network = try repaired(network, fit: fit) { try progress(done, total) }
            return isRecalibrated ? try recalibration.applied(to: network, data: fit) : network
        }
        let dense = try measured(graph)
        let whole = isPrepared ? try measured(prepared(graph)) : dense
        let layers = try probes.parts.map { part in
            try layer(part, whole: whole) { try measured(prepared(probes.network(with: $0))) }
        }
        var sensitivity = RunRecord.Sensitivity(
            granularity: request.granularity.rawValue, criterion: request.criterion.information.id,
            split: DataSplit.validation.rawValue, isRecalibrated: isRecalibrated,
            repairSamples: repair.map { min($0.samples, fit.sampleCount) }, layers: layers,
            evaluations: done, seconds: (ContinuousClock.now - start) / .seconds(1))
        if !request.targets.isEmpty {
            sensitivity.allocation = try allocation(pruner, probes.parts, layers, whole: whole.mean)
        }
        return Outcome(
            sensitivity: sensitivity,
            refusals: probes.refusals.map { .init(name: $0.name, reason: $0.reason) }, dense: dense)
    }

    /// A channel's mean and variance over 2,000 samples are known well enough, and there are many points.
    private static let recalibrationBatches = 10

    /// What is zero stays zero.
    private func repaired(_ network: Graph, fit: Dataset, progress: () throws -> Void) throws -> Graph {
        guard let repair else { return network }
        let run = try TrainingRun(
            network, training: fit.evidenceSample(repair.samples, seed: seed), recipe: repair.recipe,
            masks: MaskSet(zerosOf: network), lane: lane)
        _ = try run.train(observer: { _ in try progress() })
        return try run.trainedGraph()
    }

    private func layer(
        _ part: SensitivityProbes.Part, whole: LossValue,
        measure: (SensitivityProbes.Probe) throws -> LossValue
    ) throws -> RunRecord.SensitiveLayer {
        var points = [
            RunRecord.SensitivityPoint(
                sparsity: 0, removed: 0, accuracy: whole.accuracy, loss: whole.mean, macsSaved: 0)
        ]
        // Small groups lose the same units at several shares.
        var values = [0: whole]
        for probe in part.probes {
            let value = try values[probe.count] ?? measure(probe)
            values[probe.count] = value
            points.append(
                .init(
                    sparsity: probe.sparsity, removed: Double(probe.count) / Double(part.size),
                    accuracy: value.accuracy, loss: value.mean, macsSaved: probe.macsSaved))
        }
        return .init(name: part.name, size: part.size, members: part.members, points: points)
    }

    private func evidence(_ graph: Graph, fit: Dataset) throws -> Evidence {
        var evidence = recorded
        evidence.merge(
            try EvidenceCollector.collect(
                request.criterion.requiredEvidence.subtracting(recorded.kinds), from: graph, dataset: fit,
                samples: evidenceSamples, seed: seed, lane: lane))
        return evidence
    }

    private func allocation(
        _ pruner: Pruner, _ parts: [SensitivityProbes.Part], _ layers: [RunRecord.SensitiveLayer],
        whole: Double
    ) throws -> RunRecord.SuggestedAllocation {
        let shares = try SensitivityAllocator(pruner, request).shares(
            of: zip(parts, layers).map { part, layer in
                .init(
                    id: part.id,
                    curve: DamageCurve(layer.points.map { (share: $0.removed, increase: $0.loss - whole) }))
            })
        return .init(
            targets: request.targets.map { .init(kind: $0.kind, value: $0.value) },
            layers: zip(layers, shares).map { layer, share in
                .init(name: layer.name, sparsity: share.sparsity, kept: share.size - share.removed)
            })
    }
}
