import EspalierRuns

/// What `robustness` found, as the values that the template names.
struct RobustnessSection {
    private let robustness: RunRecord.Robustness

    /// Whether layers matter by their norms in l-infinity.
    private var isMaximum: Bool { robustness.norm == "l-infinity" }

    init?(_ record: RunRecord) {
        guard let robustness = record.robustness, !robustness.networks.isEmpty else { return nil }
        self.robustness = robustness
    }

    var cards: [(value: String, label: String)] {
        guard let dense = robustness.networks.first else { return [] }
        var cards: [(value: String, label: String)] = []
        if let upper = dense.lipschitz.upper {
            cards.append((Format.significant(upper), "Lipschitz constant at most, \(robustness.norm)"))
        }
        cards.append((Format.significant(dense.lipschitz.lower), "at least, as was found"))
        for (name, points) in [("certified", dense.certified), ("left by attacks", dense.attacked)] {
            guard let point = points.first(where: { $0.epsilon > 0 }) else { continue }
            cards.append(
                (Format.percent(point.accuracy), "\(name) at \(RobustnessTexts.radius(point.epsilon))"))
        }
        return cards
    }

    var context: [String: Any] {
        [
            "summary":
                "\(Format.count(robustness.samples)) test samples, changes of inputs in \(robustness.norm), in units of values from 0 "
                + "to 1. What is certified holds whatever changes do; what attacks leave may still break.",
            "verdicts": RobustnessTexts(robustness).sentences,
            "charts": charts.filter { !$0.isEmpty },
            "tables": RobustnessTexts(robustness).tables.map { table -> [String: Any] in
                [
                    "title": table.title, "note": table.note, "columns": table.columns,
                    "rows": table.rows.map { ["cells": $0] },
                ]
            },
        ]
    }

    // MARK: Pictures

    private var charts: [String] {
        let networks = robustness.networks
        var charts: [String] = []
        if networks.count == 1 || robustness.sweep != nil { charts += networks.map(methods) }
        if networks.count > 1, robustness.sweep == nil {
            charts.append(
                overRadii(
                    "Certified accuracy",
                    networks.filter { !$0.certified.isEmpty }.map { ($0.name, $0.certified) }))
            charts.append(overRadii("Accuracy under attack", networks.map { ($0.name, $0.attacked) }))
            charts.append(methods(networks[0]))
        }
        return charts + [margins, norms] + (robustness.sweep.map(sweep) ?? [])
    }

    private func methods(_ network: RunRecord.RobustNetwork) -> String {
        overRadii(
            "Accuracy of \(network.name) at each radius",
            (network.attacks + network.certificates).map { ($0.name, $0.accuracies) })
    }

    private func overRadii(
        _ title: String, _ series: [(name: String, points: [RunRecord.RobustAccuracy])]
    ) -> String {
        let ticks = Axis(covering: robustness.epsilons + [0]).ticks
        return LineChart(
            title: title, horizontalTitle: "radius, \(robustness.norm)",
            series: series.map { series in
                .init(name: series.name, points: series.points.map { (x: $0.epsilon, y: $0.accuracy) })
            }, format: { Format.percent($0, digits: 0) },
            horizontalTicks: ticks.map { (x: $0, label: Format.digits($0, 3)) },
            horizontalFormat: RobustnessTexts.radius
        ).rendered()
    }

    /// The margins of all samples, in order: what lies left of 0 is wrong anyhow.
    private var margins: String {
        let sorted = robustness.networks.map { network in
            network.margins.filter(\.isFinite).map { Double($0) }.sorted()
        }
        let ticks = Axis(covering: sorted.flatMap { [$0.first, $0.last].compactMap { $0 } }).ticks
        let series = zip(robustness.networks, sorted).map { network, margins in
            let steps = min(margins.count - 1, 40)
            return LineChart.Series(
                name: network.name,
                points: steps < 1
                    ? []
                    : (0...steps).map { step in
                        let place = step * (margins.count - 1) / steps
                        return (x: margins[place], y: Double(place + 1) / Double(margins.count))
                    })
        }
        return LineChart(
            title: "Share of samples with at most that margin", horizontalTitle: "margin", series: series,
            format: { Format.percent($0, digits: 0) },
            horizontalTicks: ticks.map { (x: $0, label: Format.digits($0, 3)) },
            horizontalFormat: { Format.digits($0, 3) }
        ).rendered()
    }

    private var norms: String {
        let networks = robustness.networks.prefix(LineChart.colourCount)
        return BarChart(
            title: "\(isMaximum ? "l-infinity" : "Spectral") norms of layers", series: networks.map(\.name),
            rows: (networks.first?.layers ?? []).map { layer in
                .init(
                    name: layer.name,
                    values: networks.map { network in
                        network.layers.first { $0.name == layer.name }.map {
                            isMaximum ? $0.maximumNorm : $0.spectralNorm
                        }
                    })
            }, format: { Format.digits($0, 3) }
        ).rendered()
    }

    // MARK: Sweep

    private func sweep(_ curves: [RunRecord.RobustnessCurve]) -> [String] {
        curves.flatMap { curve in
            [
                overSparsity(
                    "Changes by \(curve.criterion), natural logarithms",
                    [
                        ("margin", { $0.logMargin }), ("Lipschitz constant", { $0.logLipschitz }),
                        ("radius", { $0.logRadius }),
                    ], curve, { Format.fixed($0, 2) }),
                overSparsity(
                    "Certified at a radius, \(curve.criterion)", byRadius(\.certified), curve,
                    limits: 0...1, { Format.percent($0, digits: 0) }),
                overSparsity(
                    "Under attack of a radius, \(curve.criterion)", byRadius(\.attacked), curve,
                    limits: 0...1, { Format.percent($0, digits: 0) }),
                norms(curve),
            ]
        }
    }

    private func norms(_ curve: RunRecord.RobustnessCurve) -> String {
        let dense = robustness.networks[0].layers
        return LineChart(
            title: "\(isMaximum ? "l-infinity" : "Spectral") norms of layers, \(curve.criterion)",
            horizontalTitle: "parameters removed, %",
            series: dense.map { layer in
                let norms = curve.points.compactMap { point in
                    point.layers.first { $0.name == layer.name }.map {
                        (x: 100 * point.sparsity, value: isMaximum ? $0.maximumNorm : $0.spectralNorm)
                    }
                }
                return .init(
                    name: layer.name, points: norms.map { (x: $0.x, y: $0.value.mean) },
                    deviations: norms.map { $0.value.std ?? 0 })
            }, format: { Format.digits($0, 3) }
        ).rendered()
    }

    private typealias Value = (RunRecord.RobustnessPoint) -> RunRecord.OverSeeds?

    private func byRadius(
        _ accuracies: @escaping (RunRecord.RobustnessPoint) -> [RunRecord.RobustAccuracyOverSeeds]
    ) -> [(name: String, value: Value)] {
        robustness.epsilons.enumerated().map { place, epsilon in
            (
                RobustnessTexts.radius(epsilon),
                { point in
                    let points = accuracies(point)
                    return place < points.count ? points[place].accuracy : nil
                }
            )
        }
    }

    private func overSparsity(
        _ title: String, _ values: [(name: String, value: Value)], _ curve: RunRecord.RobustnessCurve,
        limits: ClosedRange<Double> = -.infinity...(.infinity), _ format: @escaping (Double) -> String
    ) -> String {
        LineChart(
            title: title, horizontalTitle: "parameters removed, %",
            series: values.map { name, value in
                let points = curve.points.compactMap { point in
                    value(point).map { (x: 100 * point.sparsity, value: $0) }
                }
                return .init(
                    name: name, points: points.map { (x: $0.x, y: $0.value.mean) },
                    deviations: points.map { $0.value.std ?? 0 })
            }, format: format, limits: limits
        ).rendered()
    }
}
