import EspalierRuns

/// What `redundancy` found, as the values that the template names.
struct RedundancySection {
    private let redundancy: RunRecord.Redundancy

    init(_ redundancy: RunRecord.Redundancy) {
        self.redundancy = redundancy
    }

    var context: [String: Any] {
        var context: [String: Any] = [
            "summary": summary,
            "rows": redundancy.layers.map { layer in
                [
                    "name": layer.name, "units": Format.count(layer.units),
                    "groups": Format.count(layer.groups), "largest": Format.count(layer.largest),
                    "single": Format.count(layer.single), "constant": Format.count(layer.constant),
                    "survival": Format.significant(layer.survivalProbability),
                    "failures": Format.fixed(layer.expectedFailures, 1),
                ]
            },
            "charts": charts.filter { !$0.isEmpty },
        ]
        if let merging = redundancy.merging { context["merging"] = ["rows": merging.variants.map(row)] }
        return context
    }

    private func row(_ variant: RunRecord.MergeVariant) -> [String: String] {
        [
            "name": variant.name.description, "parameters": Format.count(variant.parameters),
            "accuracy": variant.accuracy.map { Format.percent($0, digits: 2) } ?? "",
            "loss": variant.loss.map { Format.fixed($0, 4) } ?? "",
        ]
    }

    private var summary: String {
        "Units of a group correlate by \(redundancy.tau) or more in the mean. At q = \(redundancy.q) no group of the "
            + "network fails with probability \(Format.significant(redundancy.survivalProbability)) if units go "
            + "independently, \(Format.significant(redundancy.exactSurvivalProbability)) if exactly that share goes; at "
            + "q = \(Format.significant(redundancy.largestQ)) with probability \(redundancy.reliability). A group is "
            + "emptied when all its units are gone, and functionally lost when the layer's surviving units no longer "
            + "tell its mean activation on held-out data (R² below τ²)."
    }

    private var charts: [String] {
        let points = redundancy.measured
        func series(_ name: String, _ value: (RunRecord.RemovalPoint) -> Double) -> LineChart.Series {
            .init(name: name, points: points.map { (x: 100 * $0.q, y: value($0)) })
        }
        func percent(_ share: Double) -> String { Format.percent(share, digits: 0) }
        let accuracies = points.compactMap { point in
            point.accuracy.map { (rate: point.q, lost: point.lost, accuracy: $0) }
        }
        return [
            LineChart(
                title: "Groups lost, predicted and measured", horizontalTitle: "units removed, %",
                series: [series("predicted, q^m", \.predicted), series("functionally lost", \.lost)],
                format: percent
            ).rendered(),
            LineChart(
                title: "Accuracy against removal", horizontalTitle: "units removed, %",
                series: [
                    .init(name: "accuracy", points: accuracies.map { (x: 100 * $0.rate, y: $0.accuracy) }),
                    .init(
                        name: "predicted to survive",
                        points: points.map { (x: 100 * $0.q, y: 1 - $0.predicted) }),
                ], format: percent
            ).rendered(),
            LineChart(
                title: "Accuracy against groups lost", horizontalTitle: "groups functionally lost, %",
                series: [
                    .init(
                        name: "mean at each rate",
                        points: accuracies.map { (x: 100 * $0.lost, y: $0.accuracy) })
                ], format: percent
            ).rendered(),
        ]
    }
}
