import EspalierRuns

/// What `score` found, as the values that the template names.
struct ScoreSection {
    private let record: RunRecord

    init(_ record: RunRecord) {
        self.record = record
    }

    var context: [String: Any] {
        var context: [String: Any] = [:]
        if let scores = record.scores { context["scores"] = scores.map(table) }
        if let firing = record.firing, !firing.isEmpty {
            context["hasFiring"] = true
            context["firingLegend"] = legend
            context["firing"] = firing.map(group)
        }
        return context
    }

    private var legend: String {
        "A unit fires in a sample if what its nonlinearity reads is above zero at any position. Histograms show how many units "
            + "fire how often; the last picture each unit's saliency, the sum of E[g²] over its incoming weights, on a "
            + "logarithmic scale; units whose saliency is zero lie on the lowest line."
    }

    // MARK: Scores

    private func table(_ score: RunRecord.Score) -> [String: Any] {
        let kind = score.granularity == "channel" ? "channels" : "weights"
        var summary =
            "Scores of \(kind); unit: \(score.unit). Scoring took "
            + Format.duration(seconds: score.seconds)
        if score.evidenceBytes > 0 {
            summary +=
                ", its evidence \(Format.duration(seconds: score.evidenceSeconds)) and "
                + Format.bytes(score.evidenceBytes)
        }
        return [
            "title": score.name, "summary": summary + ".",
            "rows": score.layers.map { layer in
                [
                    "name": layer.name, "count": Format.count(layer.count),
                    "mean": Format.significant(layer.mean), "max": Format.significant(layer.max),
                    "min": Format.significant(layer.min), "nearZero": Format.percent(layer.nearZero),
                    "gini": layer.gini.map { Format.fixed($0, 3) } ?? "",
                ]
            },
        ]
    }

    // MARK: Firing

    private func group(_ group: RunRecord.Firing) -> [String: Any] {
        var summary =
            "\(Format.count(group.samples.count)) units, \(group.dead) dead, \(group.nearlyDead) nearly dead"
        if let pearson = group.pearson, let spearman = group.spearman {
            summary +=
                "; saliency against firing: Pearson \(Format.fixed(pearson, 2)), Spearman "
                + Format.fixed(spearman, 2)
        }
        var charts = [
            Histogram(
                title: "Firing probability", horizontalTitle: "share of samples", unit: "units",
                values: group.samples
            ).rendered()
        ]
        // Of maps, most fire somewhere in every sample.
        if group.shares != group.samples {
            charts.append(
                Histogram(
                    title: "Share of positions", horizontalTitle: "share of samples and positions",
                    unit: "units", values: group.shares
                ).rendered())
        }
        if let saliency = group.saliency {
            charts.append(
                ScatterChart(
                    title: "Saliency against firing", horizontalTitle: "share of samples",
                    points: zip(group.samples, saliency).enumerated().map { unit, pair in
                        .init(
                            name: "unit \(unit)", x: pair.0, y: pair.1, isMarked: pair.0 == 0)
                    }
                ).rendered())
        }
        return ["name": group.name, "summary": summary, "charts": charts.filter { !$0.isEmpty }]
    }
}
