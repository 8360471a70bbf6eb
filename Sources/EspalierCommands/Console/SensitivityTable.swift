import EspalierReports
import EspalierRuns

/// Curves of layers, and the suggested shares, as people read them.
enum SensitivityTable {
    static func tell(_ record: RunRecord, on console: Console) {
        guard let sensitivity = record.sensitivity else { return }
        console.result(table(sensitivity))
        console.result("")
        console.result(facts(record, sensitivity).rendered())
    }

    private static func table(_ sensitivity: RunRecord.Sensitivity) -> Table {
        let points = sensitivity.layers.first?.points ?? []
        let suggestions = sensitivity.allocation?.layers
        var columns: [(title: String, alignment: Table.Alignment)] = [("layer", .left), ("size", .right)]
        for point in points { columns.append((Format.share(point.sparsity), .right)) }
        if suggestions != nil { columns += [("suggested", .right), ("kept", .right)] }
        var table = Table(columns)
        for (place, layer) in sensitivity.layers.enumerated() {
            var cells = [layer.name, Format.count(layer.size)]
            cells += layer.points.map { point in
                point.accuracy.map { Format.fixed(100 * $0, 1) } ?? Format.significant(point.loss)
            }
            if let suggestion = suggestions?[place] {
                cells += [Format.percent(suggestion.sparsity), Format.count(suggestion.kept)]
            }
            table.add(cells)
        }
        return table
    }

    private static func facts(_ record: RunRecord, _ sensitivity: RunRecord.Sensitivity) -> FactSheet {
        var facts = FactSheet()
        let figure = record.accuracy == nil ? "loss" : "accuracy in %"
        let whole =
            record.accuracy.map { Format.percent($0, digits: 2) } ?? record.loss.map(Format.significant) ?? ""
        facts.add(
            "table",
            "\(figure) with that share of one layer removed by \(sensitivity.criterion), on "
                + "\(Format.count(record.samples ?? 0)) samples (\(sensitivity.split)); \(whole) as it is")
        if sensitivity.isRecalibrated { facts.add("batch norm", "recalibrated for each point") }
        if let samples = sensitivity.repairSamples {
            facts.add("repair", "each point is trained on \(Format.count(samples)) samples")
        }
        facts.add(
            "cost",
            "\(sensitivity.evaluations) evaluations, \(Format.duration(seconds: sensitivity.seconds))")
        for target in sensitivity.allocation?.targets ?? [] {
            facts.add("suggested for", "\(target.kind) \(Format.share(target.value))")
        }
        let several = sensitivity.layers.filter { $0.members.count > 1 }
        for layer in several {
            facts.add("together", "\(layer.name): \(layer.members.joined(separator: ", "))")
        }
        for refusal in record.refusals ?? [] { facts.add("left out", "\(refusal.name): \(refusal.reason)") }
        return facts
    }
}
