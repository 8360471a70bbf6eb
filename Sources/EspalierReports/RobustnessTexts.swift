package import EspalierRuns
import Foundation

/// Tables on the robustness of networks, the same on the command line and in reports.
package struct RobustnessTexts {
    /// A table whose first column holds names.
    package struct Table: Sendable {
        package let title: String
        /// How to read it; may be empty.
        package let note: String
        package let columns: [String]
        package let rows: [[String]]
    }

    private let robustness: RunRecord.Robustness

    package init(_ robustness: RunRecord.Robustness) {
        self.robustness = robustness
    }

    /// Those that have rows, in the order to be read in.
    package var tables: [Table] {
        let all = [networks, accuracies, changes] + layers + [sweepChanges, sweepAccuracies]
        return all.filter { !$0.rows.isEmpty }
    }

    /// A radius: of pixels in eight bits as such.
    package static func radius(_ epsilon: Double) -> String {
        let steps = 255 * epsilon
        return epsilon > 0 && epsilon < 0.1 && abs(steps - steps.rounded()) < 1e-9
            ? "\(Int(steps.rounded()))/255" : Format.digits(epsilon, 4)
    }

    /// What is to be said of networks in words.
    package var sentences: [String] {
        guard let dense = robustness.networks.first else { return [] }
        return robustness.networks.compactMap { Self.verdict($0, against: dense.name) }
            + robustness.networks.flatMap(Self.looseness)
    }

    /// How often intervals alone were tighter than linear bounds: why the two are taken together.
    private static func looseness(_ network: RunRecord.RobustNetwork) -> [String] {
        network.certificates.compactMap { certificate in
            certificate.intervalsTighter.map {
                "\(network.name), \(certificate.name): intervals alone were tighter for \(Format.percent($0)) of the bounds of neurons and outputs"
            }
        }
    }

    /// What pruning did to radii, in words: factors are geometric means over samples.
    package static func verdict(_ network: RunRecord.RobustNetwork, against dense: String) -> String? {
        guard let change = network.change, let margin = change.logMargin?.mean,
            let constant = change.logLipschitz, let radius = change.logRadius?.mean
        else { return nil }
        func times(_ log: Double) -> String { "× \(Format.digits(exp(log), 3))" }
        return
            "\(network.name) against \(dense): Lipschitz radii \(times(radius)) = margins \(times(margin)) "
            + "over Lipschitz constant \(times(constant))"
    }

    // MARK: Networks

    private var networks: Table {
        Table(
            title: "Networks",
            note:
                "Lipschitz constants in \(robustness.norm): proven from above, and the largest slope that was found near samples. "
                + "Margins are of all samples.",
            columns: ["network", "accuracy, %", "L at most", "L at least", "margin 25 %", "median", "75 %"],
            rows: robustness.networks.map { network in
                let margins = network.margins.sorted()
                func quantile(_ share: Double) -> String {
                    margins.isEmpty
                        ? ""
                        : Format.fixed(
                            Double(margins[min(margins.count - 1, Int(share * Double(margins.count)))]), 2)
                }
                return [
                    network.name, percent(network.accuracy),
                    network.lipschitz.upper.map(Format.significant) ?? "unknown",
                    Format.significant(network.lipschitz.lower), quantile(0.25), quantile(0.5),
                    quantile(0.75),
                ]
            })
    }

    private var accuracies: Table {
        func row(_ name: String, _ points: [RunRecord.RobustAccuracy]) -> [String] {
            [name] + points.map { percent($0.accuracy) }
        }
        return Table(
            title: "Accuracy at each radius, %",
            note: "Certified: proven by any certificate. Attacked: withstands all attacks.",
            columns: ["radius"] + robustness.epsilons.map(Self.radius),
            rows: robustness.networks.flatMap { network in
                [row("\(network.name) certified", network.certified)]
                    + network.certificates.map { row("· \($0.name)", $0.accuracies) }
                    + [row("\(network.name) attacked", network.attacked)]
                    + network.attacks.map { row("· \($0.name)", $0.accuracies) }
            })
    }

    /// Spectral norms in any case; where changes are measured in l-infinity, those that matter there too.
    private var layers: [Table] {
        let isMaximum = robustness.norm == "l-infinity"
        let spectral = layers(
            "Spectral norms",
            "From above, batch norm included where it follows. Zeroing weights can raise them.",
            \.spectralNorm)
        return isMaximum
            ? [
                layers(
                    "Norms of layers in l-infinity",
                    "The largest sum of magnitudes of a row, batch norm included where it follows.",
                    \.maximumNorm), spectral,
            ] : [spectral]
    }

    private func layers(
        _ title: String, _ note: String, _ norm: (RunRecord.LayerNorm) -> Double
    ) -> Table {
        let columns = robustness.networks.map { network in
            Dictionary(network.layers.map { ($0.name, norm($0)) }, uniquingKeysWith: { $1 })
        }
        return Table(
            title: title, note: note, columns: ["layer"] + robustness.networks.map(\.name),
            rows: (robustness.networks.first?.layers ?? []).map { layer in
                [layer.name] + columns.map { $0[layer.name].map(Format.significant) ?? "" }
            })
    }

    private var changes: Table {
        Table(
            title: "What changed",
            note:
                "Natural logarithms, means over the samples that both networks get right: radius = margin − Lipschitz constant.",
            columns: ["network", "log margin", "log L", "log radius", "both right", "lost", "gained"],
            rows: robustness.networks.compactMap { network in
                network.change.map { change in
                    [
                        network.name, change.logMargin.map { signed($0.mean) } ?? "",
                        change.logLipschitz.map(signed) ?? "",
                        change.logRadius.map { signed($0.mean) } ?? "",
                        Format.count(change.samples), Format.count(change.lost),
                        Format.count(change.gained),
                    ]
                }
            })
    }

    // MARK: Sweep

    private func sweepRows(
        _ cells: (RunRecord.RobustnessPoint) -> [String]
    ) -> [[String]] {
        (robustness.sweep ?? []).flatMap { curve in
            curve.points.map {
                ["\(curve.criterion) \(Format.share($0.sparsity))"] + cells($0)
            }
        }
    }

    private var sweepChanges: Table {
        Table(
            title: "What pruning changed",
            note:
                "Against the dense network, means and standard deviations over seeds. Natural logarithms, means over the samples "
                + "that both networks get right: radius = margin − Lipschitz constant.",
            columns: [
                "pruned", "accuracy, %", "L at most", "log margin", "log L", "log radius", "lost, %",
                "gained, %",
            ],
            rows: sweepRows { point in
                [
                    spread(point.accuracy, percent),
                    point.lipschitzUpper.map { spread($0, Format.significant) } ?? "unknown",
                    point.logMargin.map { spread($0, signed) } ?? "",
                    point.logLipschitz.map { spread($0, signed) } ?? "",
                    point.logRadius.map { spread($0, signed) } ?? "", spread(point.lost, percent),
                    spread(point.gained, percent),
                ]
            })
    }

    private var sweepAccuracies: Table {
        let rows = (robustness.sweep ?? []).flatMap { curve in
            curve.points.flatMap { point in
                let name = "\(curve.criterion) \(Format.share(point.sparsity))"
                return [
                    ["\(name) certified"] + point.certified.map { spread($0.accuracy, percent) },
                    ["\(name) attacked"] + point.attacked.map { spread($0.accuracy, percent) },
                ]
            }
        }
        return Table(
            title: "Accuracy of pruned networks at each radius, %",
            note: "Means and standard deviations over seeds.",
            columns: ["radius"] + robustness.epsilons.map(Self.radius), rows: rows)
    }

    // MARK: Cells

    private func percent(_ share: Double) -> String { Format.fixed(100 * share, 1) }

    private func signed(_ value: Double) -> String {
        (value < 0 ? "−" : "+") + Format.fixed(abs(value), 3)
    }

    private func spread(_ values: RunRecord.OverSeeds, _ text: (Double) -> String) -> String {
        guard let deviation = values.std else { return text(values.mean) }
        // A deviation has no sign.
        return "\(text(values.mean)) ± \(text(deviation).drop { $0 == "+" })"
    }
}
