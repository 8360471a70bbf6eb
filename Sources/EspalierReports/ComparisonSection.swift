import EspalierRuns

/// What `compare` found, as the values that the template names.
struct ComparisonSection {
    private let curves: [RunRecord.Curve]
    private let record: RunRecord

    init(_ curves: [RunRecord.Curve], _ record: RunRecord) {
        self.curves = curves
        self.record = record
    }

    var context: [String: Any] {
        let texts = ComparisonTexts(curves)
        let runs = curves.flatMap { $0.points.map(\.runs) }.max() ?? 0
        var context: [String: Any] = [
            "summary":
                "Test accuracy, mean and standard deviation over \(runs == 1 ? "one seed" : "\(runs) seeds"); the time that "
                + "deciding took is that of passes over the data, scores and plan.",
            "charts": charts, "sparsities": texts.sparsities,
            "rows": texts.accuracies.map { row -> [String: Any] in
                ["name": row.name, "cells": row.cells, "deciding": row.deciding]
            },
        ]
        let differences = texts.differences
        if !differences.isEmpty, let first = curves.first {
            context["differences"] =
                [
                    "title": "Minus \(first.criterion)", "sparsities": texts.sparsities,
                    "rows": differences.map { ["name": $0.name, "cells": $0.cells] as [String: Any] },
                ] as [String: Any]
        }
        return context
    }

    /// As many pictures as keep the lines apart; the first criterion is in each, to compare with.
    private var charts: [String] {
        guard let first = curves.first else { return [] }
        let others = Array(curves.dropFirst())
        let perChart = LineChart.colourCount - 3
        let parts: [[RunRecord.Curve]] =
            others.isEmpty
            ? [[]]
            : stride(from: 0, to: others.count, by: perChart).map {
                Array(others[$0..<min($0 + perChart, others.count)])
            }
        return parts.map { part in
            LineChart(
                title: "Accuracy against sparsity", horizontalTitle: "parameters removed, %",
                series: ([first] + part).map(series),
                format: { Format.percent($0, digits: 0) }
            ).rendered()
        }
    }

    private func series(_ curve: RunRecord.Curve) -> LineChart.Series {
        // Before anything is removed all are the dense networks.
        let dense = record.accuracy.map { [(x: 0.0, y: $0)] } ?? []
        let deviations = record.accuracy == nil ? [] : [record.figures?["denseDeviation"] ?? 0]
        return LineChart.Series(
            name: curve.criterion, points: dense + curve.points.map { (x: 100 * $0.sparsity, y: $0.mean) },
            deviations: deviations + curve.points.map { $0.std ?? 0 })
    }
}
