import EspalierRuns

/// What `sensitivity` found, as the values that the template names.
struct SensitivitySection {
    private let sensitivity: RunRecord.Sensitivity

    init(_ sensitivity: RunRecord.Sensitivity) {
        self.sensitivity = sensitivity
    }

    var context: [String: Any] {
        let suggestions = sensitivity.allocation?.layers
        return [
            "summary": summary,
            "hasAllocation": suggestions != nil,
            "hasMembers": sensitivity.layers.contains { $0.members.count > 1 },
            "shares": (sensitivity.layers.first?.points ?? []).map { Format.share($0.sparsity) },
            "rows": sensitivity.layers.map { layer in
                // A record may come from a file that somebody edited.
                let suggestion = suggestions?.first { $0.name == layer.name }
                return [
                    "name": layer.name, "size": Format.count(layer.size),
                    "cells": layer.points.map(cell),
                    "suggested": suggestion.map { Format.percent($0.sparsity) } ?? "",
                    "kept": suggestion.map { Format.count($0.kept) } ?? "",
                    "members": layer.members.count > 1 ? layer.members.joined(separator: ", ") : "",
                ] as [String: Any]
            },
            "charts": charts.filter { !$0.isEmpty },
        ]
    }

    private func cell(_ point: RunRecord.SensitivityPoint) -> String {
        point.accuracy.map { Format.percent($0) } ?? Format.significant(point.loss)
    }

    private var summary: String {
        let things = sensitivity.granularity == "channel" ? "channels of one group" : "weights of one layer"
        let repair =
            sensitivity.repairSamples.map { "after training on \(Format.count($0)) samples" }
            ?? "without repair"
        let statistics = sensitivity.isRecalibrated ? ", batch norm recalibrated for each point" : ""
        let targets = (sensitivity.allocation?.targets ?? [])
            .map { "; suggested for \($0.kind) \(Format.share($0.value))" }.joined()
        return
            "With that share of the \(things) removed by \(sensitivity.criterion) and all others whole, on the "
            + "\(sensitivity.split) data, \(repair)\(statistics). \(sensitivity.evaluations) evaluations took "
            + "\(Format.duration(seconds: sensitivity.seconds))\(targets)."
    }

    private var charts: [String] {
        func chart(
            _ title: String, format: @escaping (Double) -> String,
            _ value: (RunRecord.SensitivityPoint) -> Double?
        ) -> String {
            LineChart(
                title: title, horizontalTitle: "removed, %",
                series: sensitivity.layers.map { layer in
                    .init(
                        name: layer.name,
                        points: layer.points.compactMap { point in
                            value(point).map { (x: 100 * point.removed, y: $0) }
                        })
                }, format: format
            ).rendered()
        }
        return [
            chart("Accuracy against sparsity", format: { Format.percent($0, digits: 0) }, \.accuracy),
            chart("Loss against sparsity", format: { Format.significant($0) }, { $0.loss }),
        ]
    }
}
