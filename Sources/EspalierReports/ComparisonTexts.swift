package import EspalierRuns

/// The cells of tables that show criteria side by side, the same on the command line and in reports.
package struct ComparisonTexts {
    private let curves: [RunRecord.Curve]
    private let values: [Double]

    package init(_ curves: [RunRecord.Curve]) {
        self.curves = curves
        values = Set(curves.flatMap { $0.points.map(\.sparsity) }).sorted()
    }

    package var sparsities: [String] { values.map { Format.percent($0) } }

    /// For each criterion its accuracy in percent at each sparsity, with the standard deviation over seeds.
    package var accuracies: [(name: String, cells: [String], deciding: String)] {
        curves.map { curve in
            (
                curve.criterion,
                cells(curve) { point in
                    Format.fixed(100 * point.mean, 2)
                        + (point.std.map { " ± \(Format.fixed(100 * $0, 2))" } ?? "")
                },
                curve.decisionSeconds.map { Format.duration(seconds: $0) } ?? ""
            )
        }
    }

    /// For each criterion but the first its differences from the first in points, with their intervals unless all pairs
    /// are equal; empty if there are none.
    package var differences: [(name: String, cells: [String])] {
        guard curves.contains(where: { $0.points.contains { $0.difference != nil } }) else { return [] }
        return curves.dropFirst().map { curve in
            (
                curve.criterion,
                cells(curve) { point in
                    point.difference.map {
                        Format.paired($0.mean, low: $0.low, high: $0.high, Self.signed)
                    } ?? ""
                }
            )
        }
    }

    private func cells(_ curve: RunRecord.Curve, _ text: (RunRecord.CurvePoint) -> String) -> [String] {
        values.map { value in curve.points.first { $0.sparsity == value }.map(text) ?? "" }
    }

    private static func signed(_ share: Double) -> String {
        (share < 0 ? "−" : "+") + Format.fixed(abs(100 * share), 2)
    }
}
