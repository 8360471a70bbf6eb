import Espalier
import EspalierPruning
import EspalierReports
import EspalierRuns

/// Scores as people read them.
enum ScoreTable {
    static func tell(_ record: RunRecord, on console: Console) {
        for score in record.scores ?? [] { tell(score, on: console) }
        if let firing = record.firing { tell(firing, on: console) }
        for note in record.notes ?? [] { console.result("note: \(note)") }
        tellCosts(record, on: console)
        if let output = record.outputs?.first { console.status("wrote \(output)") }
    }

    private static func tell(_ score: RunRecord.Score, on console: Console) {
        let kind = score.granularity == Granularity.channel.rawValue ? "channels" : "weights"
        console.result("\(score.name), \(kind); unit: \(score.unit)\n")
        var table = Table([
            (kind == "channels" ? "group" : "weight", .left), ("scores", .right), ("mean", .right),
            ("max", .right), ("min", .right), ("near zero", .right), ("Gini", .right),
        ])
        for layer in score.layers {
            table.add(
                layer.name, Format.count(layer.count), Format.significant(layer.mean),
                Format.significant(layer.max), Format.significant(layer.min),
                Format.percent(layer.nearZero), layer.gini.map { Format.fixed($0, 3) } ?? "")
        }
        console.result(table)
        for refusal in score.refusals { console.result("not scored: \(refusal.name): \(refusal.reason)") }
        console.result("")
    }

    private static func tell(_ firing: [RunRecord.Firing], on console: Console) {
        var table = Table([
            ("fires", .left), ("units", .right), ("dead", .right), ("nearly dead", .right),
            ("mean share of samples", .right), ("of positions", .right), ("Pearson", .right),
            ("Spearman", .right),
        ])
        func mean(_ shares: [Double]) -> String {
            Format.percent(shares.isEmpty ? 0 : shares.reduce(0, +) / Double(shares.count))
        }
        for group in firing {
            table.add(
                group.name, Format.count(group.samples.count), Format.count(group.dead),
                Format.count(group.nearlyDead), mean(group.samples), mean(group.shares),
                group.pearson.map { Format.fixed($0, 2) } ?? "",
                group.spearman.map { Format.fixed($0, 2) } ?? "")
        }
        console.result(table)
        console.result(
            "Nearly dead units fire in fewer than \(Format.percent(FiringAnalysis.nearlyDead, digits: 0)) of the "
                + "samples; the correlations are those with saliency.\n")
    }

    private static func tellCosts(_ record: RunRecord, on console: Console) {
        var table = Table([("cost", .left), ("evidence", .right), ("memory", .right), ("scoring", .right)])
        for score in record.scores ?? [] {
            let measures = score.evidenceBytes > 0
            table.add(
                score.criterion, measures ? Format.duration(seconds: score.evidenceSeconds) : "",
                measures ? Format.bytes(score.evidenceBytes) : "", Format.duration(seconds: score.seconds))
        }
        console.result(table)
        if let samples = record.samples, samples > 0 {
            console.result(
                "Evidence is from \(Format.count(samples)) samples; a pass that several criteria share is counted "
                    + "for each.")
        }
    }
}

extension RunRecord.Score {
    /// The scores by the finest granularity that was asked for; nil if there are none.
    init?(_ scores: ScorePipeline.Scores) {
        guard let result = scores.results.first else { return nil }
        let information = scores.criterion.information
        self.init(
            criterion: information.id, name: information.name, unit: information.unit,
            granularity: result.granularity.rawValue,
            layers: result.layers.map { layer in
                RunRecord.ScoredLayer(
                    name: layer.name, count: layer.scores.count, mean: layer.mean, max: layer.maximum,
                    min: layer.minimum, nearZero: layer.nearZeroShare, gini: layer.gini)
            }, refusals: result.refusals.map { .init(name: $0.name, reason: $0.reason) },
            seconds: scores.seconds, evidenceSeconds: scores.evidenceSeconds,
            evidenceBytes: scores.evidenceBytes)
    }
}

extension RunRecord.Firing {
    init(_ group: FiringAnalysis.Group) {
        self.init(
            name: group.name, dead: group.dead, nearlyDead: group.nearlyDead, samples: group.samples,
            shares: group.shares, saliency: group.saliency,
            pearson: group.saliency.flatMap { Correlation.pearson(group.samples, $0) },
            spearman: group.saliency.flatMap { Correlation.spearman(group.samples, $0) })
    }
}
