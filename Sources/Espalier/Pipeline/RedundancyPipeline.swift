import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierRedundancy
package import EspalierRuns
import EspalierTensors
package import EspalierTraining

/// Finds which units of a network stand for each other, predicts what random removal does to them, and measures it.
package struct RedundancyPipeline {
    /// The absolute correlation from which units are taken to do the same.
    package var tau = 0.9
    /// The removal rate that predictions are made for.
    package var rate = 0.5
    /// The rates that are measured.
    package var rates: [Double] = []
    /// Random removals at each rate.
    package var trials = 10
    package var reliability = 0.99
    /// Samples that groups are found on.
    package var evidenceSamples = 2000
    package var seed: UInt64 = 0
    /// Whether redundant units are merged, too.
    package var merges = false
    package let lane: Lane

    package init(lane: Lane) { self.lane = lane }

    package struct Outcome {
        package let redundancy: RunRecord.Redundancy
        package let refusals: [RunRecord.Refusal]
        package let sampleCount: Int
        /// Of the whole network on the held-out data; nil without classes.
        package let accuracy: Double?
        /// nil if it was not asked for.
        package let merging: Merging?
    }

    /// - Parameters:
    ///   - dataset: what groups are found on.
    ///   - heldOut: what it is judged on whether a group is lost, and the accuracy.
    ///   - progress: told how many removals are done, and of how many; may throw to stop.
    /// - Throws: ``RedundancyError``, also if there is nothing to merge; ``PruningError``, ``TrainingError``,
    ///   ``ExecutionError``, ``DataError``.
    package func run(
        _ graph: Graph, dataset: Dataset, heldOut: Dataset,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> Outcome {
        let binding = try InputBinding(graph, dataset)
        let pruner = try Pruner(graph, inputShapes: binding.shapes(batchSize: 1))
        let doubled = try? ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: 2))
        let watched = WatchedUnits(pruner.resolved, doubled: doubled, groups: pruner.groups)
        guard !watched.layers.isEmpty else {
            throw RedundancyError.unsuitable(
                "no layer has channels that could be removed; 'espalier inspect' tells why")
        }
        let sample = try dataset.evidenceSample(evidenceSamples, seed: seed)
        func covariances(
            _ places: [WatchedUnits.Layer], _ dataset: Dataset
        ) throws -> [StreamingCovariance] {
            let wanted = min(64, dataset.sampleCount, UnitCovariances.mostSamples(places))
            return try UnitCovariances.measure(
                places, of: graph, on: dataset,
                batchSize: doubled == nil ? 1 : graph.batchSize(wanted: wanted), lane: lane)
        }
        let readings = merges ? MergeReadings(watched, in: pruner, doubled: doubled) : nil
        let fits = try covariances(watched.layers + (readings?.further ?? []), sample)
        let checks = try covariances(watched.layers, heldOut)
        let layers = try watched.layers.indices.map {
            try RedundantLayer(
                watched.layers[$0].group, fit: fits[$0], heldOut: checks[$0], tau: tau)
        }
        var redundancy = try prediction(layers)
        // Before anything takes long: there may be nothing to merge.
        let merging = try readings?.merging(layers.map(\.functional), observations: fits, tau: tau)
        let hasClasses = if case .classes = heldOut.labels { true } else { false }
        func evaluation(_ graph: Graph) throws -> LossValue? {
            guard hasClasses else { return nil }
            let output = try graph.lossOutput(for: heldOut, batchSize: 1)
            return try Evaluator(graph, output: output, lane: lane).evaluate(heldOut).value
        }
        let whole = try evaluation(graph)
        var done = 0
        for rate in rates.sorted() where trials > 0 {
            // Trial i of every rate removes, of the same draws, those below the rate: curves are not blurred by luck.
            var outcomes: [(trial: RemovalTrial, accuracy: Double?)] = []
            for trial in 0..<trials {
                var random = RandomSource(seed: seed).split("removal").split(trial)
                let removal = RemovalTrial(layers, rate: rate, random: &random)
                let masked = try pruner.masks(dropping: removal.dropped).applied(to: graph)
                outcomes.append((removal, try evaluation(masked)?.accuracy))
                done += 1
                try progress(done, rates.count * trials)
            }
            redundancy.measured.append(try point(rate, layers, outcomes))
        }
        let merged = try merging.map {
            try self.merged($0, sample: sample, dense: whole, evaluate: evaluation)
        }
        redundancy.merging = merged?.record
        return Outcome(
            redundancy: redundancy,
            refusals: watched.refusals.map { .init(name: $0.name, reason: $0.reason) },
            sampleCount: sample.sampleCount, accuracy: whole?.accuracy, merging: merged)
    }

    // MARK: Prediction

    private func prediction(_ layers: [RedundantLayer]) throws -> RunRecord.Redundancy {
        let sizes = layers.flatMap { $0.functional.varying.map(\.size) }
        guard !sizes.isEmpty else {
            throw RedundancyError.unsuitable(
                "all units are constant on these data: there is nothing to group")
        }
        let all = try GroupSizes(sizes)
        let network = try IndependentRemoval(all, rate: rate)
        let exact = try UniformRemoval(all, removed: Int((rate * Double(all.unitCount)).rounded()))
        return RunRecord.Redundancy(
            tau: tau, q: rate, units: layers.reduce(0) { $0 + $1.group.size },
            survivalProbability: network.survivalProbability,
            exactSurvivalProbability: exact.survivalProbability,
            expectedFailures: network.expectedFailures, reliability: reliability,
            largestQ: try LargestRate.of(all, risk: 1 - reliability),
            layers: try layers.map(summary),
            groups: layers.flatMap { layer in
                layer.functional.groups.map { group in
                    RunRecord.FunctionalGroup(
                        layer: layer.group.id, units: group.units,
                        failureProbability: network.failureProbability(size: group.size),
                        isConstant: group.isConstant)
                }
            }, measured: [])
    }

    private func summary(_ layer: RedundantLayer) throws -> RunRecord.RedundantLayer {
        let sizes = layer.functional.varying.map(\.size)
        let removal = sizes.isEmpty ? nil : try IndependentRemoval(GroupSizes(sizes), rate: rate)
        return RunRecord.RedundantLayer(
            name: layer.group.id, units: layer.group.size, groups: sizes.count, largest: sizes.max() ?? 0,
            single: sizes.count { $0 == 1 }, constant: layer.group.size - sizes.reduce(0, +),
            survivalProbability: removal?.survivalProbability ?? 1,
            expectedFailures: removal?.expectedFailures ?? 0)
    }

    // MARK: Measurement

    private func point(
        _ rate: Double, _ layers: [RedundantLayer], _ outcomes: [(trial: RemovalTrial, accuracy: Double?)]
    ) throws -> RunRecord.RemovalPoint {
        let sizes = try GroupSizes(layers.flatMap { $0.functional.varying.map(\.size) })
        let predicted = try IndependentRemoval(sizes, rate: rate)
        let (groups, units) = (Double(sizes.sizes.count), Double(layers.reduce(0) { $0 + $1.group.size }))
        let lost = outcomes.map { Double($0.trial.lost) / groups }
        let accuracies = outcomes.compactMap(\.accuracy)
        func share(_ isSo: (RemovalTrial) -> Bool) -> Double {
            Double(outcomes.count { isSo($0.trial) }) / Double(outcomes.count)
        }
        return RunRecord.RemovalPoint(
            q: rate, predicted: predicted.expectedFailures / groups,
            emptied: outcomes.reduce(0) { $0 + Double($1.trial.emptied) / groups } / Double(outcomes.count),
            lost: Self.mean(lost),
            lostStandardError: Self.deviation(lost).map { $0 / Double(lost.count).squareRoot() },
            predictedSurvival: predicted.survivalProbability, survivalEmptied: share { $0.emptied == 0 },
            survivalLost: share { $0.lost == 0 },
            accuracy: accuracies.isEmpty ? nil : Self.mean(accuracies),
            accuracyDeviation: Self.deviation(accuracies),
            trials: outcomes.map { outcome in
                .init(
                    removed: Double(outcome.trial.removedUnits) / units,
                    lost: Double(outcome.trial.lost) / groups, accuracy: outcome.accuracy)
            })
    }

    private static func mean(_ values: [Double]) -> Double {
        values.reduce(0, +) / Double(values.count)
    }

    /// Of a sample; nil for fewer than two.
    private static func deviation(_ values: [Double]) -> Double? {
        guard values.count > 1 else { return nil }
        let mean = mean(values)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }
}
