import EspalierReports
import EspalierRuns

/// Functional groups and removals as people read them.
enum RedundancyTable {
    static func tell(_ record: RunRecord, on console: Console) {
        guard let redundancy = record.redundancy else { return }
        console.result(layers(redundancy))
        console.result("")
        if !redundancy.measured.isEmpty {
            console.result(measured(redundancy))
            console.result("")
        }
        if let merging = redundancy.merging { MergeTable.tell(merging, on: console) }
        var facts = FactSheet()
        facts.add("tau", "\(redundancy.tau): units of a group correlate by that much in the mean")
        facts.add(
            "largest q",
            "\(Format.significant(redundancy.largestQ)), at which no group fails with probability "
                + "\(redundancy.reliability)")
        if let accuracy = record.accuracy {
            facts.add("accuracy", "\(Format.percent(accuracy, digits: 2)) of the whole network")
        }
        for refusal in record.refusals ?? [] { facts.add("left out", "\(refusal.name): \(refusal.reason)") }
        if let verification = record.verification {
            facts.add(
                "verified",
                "file read back differs by at most \(Format.scientific(verification.maxAbsoluteDifference))")
        }
        if let output = record.outputs?.first { facts.add("wrote", output) }
        console.result(facts.rendered())
    }

    private static func layers(_ redundancy: RunRecord.Redundancy) -> Table {
        var table = Table([
            ("layer", .left), ("units", .right), ("groups", .right), ("largest", .right), ("single", .right),
            ("constant", .right), ("no group fails", .right), ("groups that fail", .right),
        ])
        for layer in redundancy.layers {
            table.add(
                layer.name, Format.count(layer.units), Format.count(layer.groups),
                Format.count(layer.largest), Format.count(layer.single), Format.count(layer.constant),
                Format.significant(layer.survivalProbability), Format.fixed(layer.expectedFailures, 1))
        }
        let layers = redundancy.layers
        table.setFooter(
            "all, q = \(redundancy.q)", Format.count(redundancy.units),
            Format.count(layers.reduce(0) { $0 + $1.groups }),
            Format.count(layers.map(\.largest).max() ?? 0),
            Format.count(layers.reduce(0) { $0 + $1.single }),
            Format.count(layers.reduce(0) { $0 + $1.constant }),
            Format.significant(redundancy.survivalProbability), Format.fixed(redundancy.expectedFailures, 1))
        return table
    }

    private static func measured(_ redundancy: RunRecord.Redundancy) -> Table {
        var table = Table([
            ("q", .right), ("predicted lost", .right), ("emptied", .right), ("functionally lost", .right),
            ("accuracy", .right),
        ])
        for point in redundancy.measured {
            let error = point.lostStandardError.map { " ± \(Format.fixed(100 * $0, 1))" } ?? ""
            let accuracy = point.accuracy.map { accuracy in
                Format.percent(accuracy)
                    + (point.accuracyDeviation.map { " ± \(Format.fixed(100 * $0, 1))" } ?? "")
            }
            table.add(
                Format.digits(point.q, 6), Format.percent(point.predicted), Format.percent(point.emptied),
                Format.percent(point.lost) + error, accuracy ?? "")
        }
        return table
    }
}
