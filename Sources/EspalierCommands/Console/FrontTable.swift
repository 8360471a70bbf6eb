import Espalier
import EspalierReports
import EspalierRuns

/// A trade-off as people read it.
enum FrontTable {
    static func tell(_ result: ParetoFront, on console: Console) {
        let costs = result.trade.objectives.dropFirst()
        console.result(
            table(
                result.front, costs: costs.map { ($0.name, $0.unit) }, knee: result.trade.knee,
                chosen: result.chosen?.key))
        let reference = zip(result.trade.objectives, result.trade.reference)
            .map { "\($0.name) \(text($1, $0.unit))" }.joined(separator: ", ")
        let count = result.dominated.count
        console.result(
            "\n\(count == 1 ? "1 network is" : "\(count) networks are") dominated; hypervolume "
                + "\(Format.fixed(result.hypervolume, 4)) against \(reference)")
        tell(result.volumes, on: console)
    }

    /// The networks of a front.
    static func table(
        _ front: [RunRecord.FrontPoint], costs: [(name: String, unit: String)], knee: String? = nil,
        chosen: String? = nil
    ) -> Table {
        var table = Table(
            [("network", .left)] + costs.map { ($0.name, Table.Alignment.right) }
                + [("validation, %", .right), ("drop", .right), ("test, %", .right), ("", .left)])
        for point in front {
            let marks = [point.key == knee ? "knee" : nil, point.key == chosen ? "chosen" : nil]
            var cells = [point.name]
            cells += costs.map { cost in point.values[cost.name].map { text($0, cost.unit) } ?? "" }
            cells.append(Format.fixed(100 * (1 - point.error), 2))
            cells.append(Format.fixed(100 * (point.values["accuracy-drop"] ?? 0), 2))
            cells.append(point.accuracy.map { Format.fixed(100 * $0, 2) } ?? "")
            cells.append(marks.compactMap { $0 }.joined(separator: ", "))
            table.add(cells)
        }
        return table
    }

    /// Volumes of groups beside one another.
    static func tell(_ volumes: TradeOff.Volumes, on console: Console) {
        guard let first = volumes.first, volumes.count > 1 else { return }
        console.result("\nhypervolume of each one's front on the test data, chosen on the validation data\n")
        let differences = volumes.map { PairedInterval($0.bySeed, minus: first.bySeed) }
        let isPaired = differences.dropFirst().contains { $0 != nil }
        var table = Table(
            [("", .left), ("volume", .right)] + (isPaired ? [("minus \(first.name), 95 %", .right)] : []))
        for (entry, difference) in zip(volumes, differences) where !entry.bySeed.isEmpty {
            let summary = SampleSummary(Array(entry.bySeed.values))
            let spread = summary.standardDeviation.map { " ± \(Format.fixed($0, 4))" } ?? ""
            let interval = difference.map {
                Format.paired($0.mean, low: $0.low, high: $0.high) { Format.fixed($0, 4) }
            }
            table.add([
                entry.name, Format.fixed(summary.mean, 4) + spread,
                entry.name == first.name ? "" : interval ?? "",
            ])
        }
        console.result(table)
    }

    private static func text(_ value: Double, _ unit: String) -> String {
        switch unit {
        case "share": Format.percent(value)
        case "": Format.significant(value)
        default: "\(Format.significant(value)) \(unit)"
        }
    }
}
