import EspalierRuns
import Foundation

/// What `lottery` found, as the values that the template names.
struct LotterySection {
    private let rounds: [RunRecord.LotteryRound]
    private let lottery: RunRecord.Lottery

    init?(_ record: RunRecord) {
        guard let rounds = record.rounds, !rounds.isEmpty, let lottery = record.lottery else { return nil }
        self.rounds = rounds
        self.lottery = lottery
    }

    var cards: [(value: String, label: String)] {
        var cards: [(value: String, label: String)] = []
        if let dense = rounds[0].results[LotterySummary.winning] {
            cards.append((Format.percent(dense.mean, digits: 2), "accuracy of the dense networks"))
        }
        let smallest = lottery.smallestMatching[LotterySummary.winning]
        cards.append(
            (smallest.map { Format.percent($0) } ?? "none", "of the weights: the smallest matching ticket"))
        return cards
    }

    var context: [String: Any] {
        let texts = LotteryTexts(rounds, lottery)
        let (tests, files) = (tests, files)
        return [
            "summary": summary, "charts": charts.filter { !$0.isEmpty },
            "methods": lottery.methods.map(LotteryTexts.name(of:)),
            "accuracies": texts.accuracies.map { ["left": $0.left, "cells": $0.cells] as [String: Any] },
            "tests": tests, "hasTests": !tests.isEmpty,
            "testing":
                "Paired over seeds, with 95 % Student-t intervals; p is one-sided, of a loss of "
                + "\(Format.fixed(100 * lottery.margin, 1)) points or more, Holm-corrected over rounds.",
            "seeds": seeds.map { "seed \($0)" }, "files": files, "hasFiles": !files.isEmpty,
        ]
    }

    private var summary: String {
        let runs = rounds[0].results[LotterySummary.winning]?.runs ?? 0
        let matching = lottery.methods.compactMap { method in
            lottery.smallestMatching[method].map {
                "\(LotteryTexts.name(of: method)) down to \(Format.percent($0)) of the weights"
            }
        }
        return
            "Test accuracy over \(runs == 1 ? "one seed" : "\(runs) seeds"); bands are one standard deviation. "
            + "Shown to match the dense network: \(matching.isEmpty ? "none" : matching.joined(separator: ", "))."
    }

    // MARK: Pictures

    private var charts: [String] {
        // What a ticket is compared with, and what does without training.
        let untrained: Set<String> = ["magnitude", "snip", "grasp", "synflow", "edgePopup"]
        let controls = lottery.methods.filter { !untrained.contains($0) }
        let others = lottery.methods.filter { untrained.contains($0) }
        var charts = [
            accuracy("Accuracy after the last step", controls),
            accuracy("At the early stop", controls) {
                $0.earlyAccuracy
            },
        ]
        charts.append(
            chart(
                "Steps till the least validation loss",
                controls.map { method in
                    series(method) { $0.earlyStep }
                }
            ) { Format.count(Int(clamped: $0)) })
        if !others.isEmpty {
            let methods = [LotterySummary.winning] + others
            charts.append(accuracy("Without training before pruning", methods))
        }
        return charts + [densities] + overlaps
    }

    private func accuracy(
        _ title: String, _ methods: [String],
        _ value: (RunRecord.TicketResult) -> RunRecord.OverSeeds = { .init(mean: $0.mean, std: $0.std) }
    ) -> String {
        chart(title, methods.map { series($0, value) }) { Format.percent($0) }
    }

    private func series(
        _ method: String, _ value: (RunRecord.TicketResult) -> RunRecord.OverSeeds
    ) -> LineChart.Series {
        let points = rounds.compactMap { round in
            round.results[method].map { (x: Self.place(round.remaining), value: value($0)) }
        }
        return LineChart.Series(
            name: LotteryTexts.name(of: method), points: points.map { (x: $0.x, y: $0.value.mean) },
            deviations: points.map { $0.value.std ?? 0 })
    }

    private var densities: String {
        chart(
            "Share of each layer that is left",
            lottery.densities.map { layer in
                LineChart.Series(
                    name: layer.name,
                    points: zip(rounds, layer.remaining).map { (x: Self.place($0.remaining), y: $1) })
            }
        ) { Format.percent($0, digits: 0) }
    }

    private var overlaps: [String] {
        func series(_ value: (RunRecord.Lottery.Overlap) -> Double?) -> [LineChart.Series] {
            lottery.densities.map { layer in
                let points = lottery.overlaps.filter { $0.name == layer.name }.compactMap { overlap in
                    let round = rounds.first { $0.round == overlap.round }
                    return round.flatMap { round in
                        value(overlap).map { (x: Self.place(round.remaining), y: $0) }
                    }
                }
                return LineChart.Series(name: layer.name, points: points)
            }
        }
        return [
            chart("Weights that two seeds both keep, times chance", series { $0.shared / $0.chance }) {
                Format.fixed($0, 2)
            },
            chart("Connections per input in two seeds, correlation", series(\.inputCorrelation)) {
                Format.fixed($0, 2)
            },
        ]
    }

    private func chart(
        _ title: String, _ series: [LineChart.Series], _ format: @escaping (Double) -> String
    ) -> String {
        LineChart(
            title: title, horizontalTitle: "weights left, %", series: series, format: format,
            horizontalTicks: ticks, horizontalFormat: { Format.digits(100 * pow(2, -$0), 3) },
            showsBands: true
        ).rendered()
    }

    /// Each halving is as far from the last.
    private static func place(_ remaining: Double) -> Double { -log2(max(remaining, 1e-6)) }

    private var ticks: [(x: Double, label: String)] {
        let least = rounds.map(\.remaining).min() ?? 1
        let shares =
            least > 0.15
            ? [1, 0.8, 0.6, 0.4, 0.3, 0.2] : [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001]
        return shares.filter { $0 >= least * 0.999 }.map { (Self.place($0), SVG.number(100 * $0)) }
    }

    // MARK: Tables

    private var tests: [[String: String]] {
        lottery.methods.flatMap { method in
            rounds.compactMap { round -> [String: String]? in
                guard let result = round.results[method], let accuracy = result.difference else { return nil }
                return [
                    "method": LotteryTexts.name(of: method), "left": Format.percent(round.remaining),
                    "accuracy": Self.interval(accuracy, scale: 100, digits: 2),
                    "pValue": result.pValue.map { Format.digits($0, 2) } ?? "",
                    "step": result.stepDifference.map { Self.interval($0, scale: 1, digits: 0) } ?? "",
                ]
            }
        }
    }

    private static func interval(_ difference: RunRecord.Difference, scale: Double, digits: Int) -> String {
        func signed(_ value: Double) -> String {
            (value < 0 ? "" : "+") + Format.fixed(scale * value, digits)
        }
        return Format.paired(difference.mean, low: difference.low, high: difference.high, signed)
    }

    private var seeds: [UInt64] { Set(lottery.tickets.map(\.seed)).sorted() }

    private var files: [[String: Any]] {
        rounds.compactMap { round in
            let files = lottery.tickets.filter { $0.round == round.round }
            guard !files.isEmpty else { return nil }
            let cells = seeds.map { seed -> [String: Any] in
                let path = files.first { $0.seed == seed }?.path
                return path.map { ["path": URL(fileURLWithPath: $0).absoluteString] } ?? [:]
            }
            return ["left": Format.percent(round.remaining), "cells": cells]
        }
    }
}
