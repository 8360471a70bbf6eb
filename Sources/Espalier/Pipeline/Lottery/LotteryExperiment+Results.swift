import EspalierGraphs
import EspalierLottery
import EspalierPruning
package import EspalierRuns
import Foundation

extension LotteryExperiment {
    package struct Results: Sendable {
        package let rounds: [RunRecord.LotteryRound]
        package let lottery: RunRecord.Lottery
    }

    /// What the finished trials say together.
    ///
    /// - Parameters:
    ///   - records: their results, by key.
    ///   - finished: the same trials with their files; masks of different seeds are compared if they are there.
    package func results(
        _ records: [String: RunRecord], files finished: [String: FinishedTrial]
    ) throws -> Results {
        let tickets = records.values.compactMap(\.ticket).sorted {
            ($0.method, $0.round, $0.seed) < ($1.method, $1.round, $1.seed)
        }
        let summary = LotterySummary(tickets)
        var files: [RunRecord.Lottery.File] = []
        var overlaps: [RunRecord.Lottery.Overlap] = []
        let pruner = try pruner(of: initial(seed: 0))
        for round in 0...rounds {
            var masks: [MaskSet] = []
            for seed in seeds {
                guard let trial = finished[Self.key(.winning, round: round, seed: seed)],
                    records[trial.key] != nil, let model = try? trial.modelPath()
                else { continue }
                files.append(.init(seed: seed, round: round, path: Self.file(Self.ticketName, beside: model)))
                if let plan = try plan(of: trial) { masks.append(try pruner.masks(of: plan)) }
            }
            overlaps += try overlap(of: masks, round: round, pruner)
        }
        let lottery = RunRecord.Lottery(
            methods: methods.map(\.key), margin: LotterySummary.margin,
            smallestMatching: summary.smallestMatching, densities: densities(tickets), overlaps: overlaps,
            tickets: files)
        return Results(rounds: summary.rounds, lottery: lottery)
    }

    private func densities(_ tickets: [RunRecord.Ticket]) -> [RunRecord.Lottery.Density] {
        let winning = Dictionary(grouping: tickets.filter { $0.method == Method.winning.key }, by: \.round)
        let rounds = winning.sorted { $0.key < $1.key }.map(\.value)
        return (rounds.first?.first?.layers ?? []).map { layer in
            RunRecord.Lottery.Density(
                name: layer.name, size: layer.size,
                remaining: rounds.map { tickets in
                    let shares = tickets.compactMap { ticket in
                        ticket.layers.first { $0.name == layer.name }.map {
                            Double($0.kept) / Double(max(1, $0.size))
                        }
                    }
                    return SampleSummary(shares).mean
                })
        }
    }

    /// Of each weight, averaged over all pairs of seeds.
    private func overlap(
        of masks: [MaskSet], round: Int, _ pruner: Pruner
    ) throws -> [RunRecord.Lottery.Overlap] {
        let pairs = masks.indices.flatMap { first in
            masks.indices.dropFirst(first + 1).map { (masks[first], masks[$0]) }
        }
        return try partLayers(pruner).compactMap { layer in
            let both = pairs.compactMap { a, b in
                a[layer.weight].flatMap { first in b[layer.weight].map { (first, $0) } }
            }
            let overlaps = both.compactMap { MaskOverlap($0, $1, inputAxis: layer.consumerAxis) }
            guard !overlaps.isEmpty else { return nil }
            let correlations = overlaps.compactMap(\.inputCorrelation)
            return RunRecord.Lottery.Overlap(
                round: round, name: layer.weightName, shared: SampleSummary(overlaps.map(\.shared)).mean,
                chance: SampleSummary(overlaps.map(\.chance)).mean,
                deviation: SampleSummary(overlaps.map(\.deviation)).mean,
                inputCorrelation: correlations.isEmpty ? nil : SampleSummary(correlations).mean)
        }
    }
}
