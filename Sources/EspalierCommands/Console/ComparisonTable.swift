import EspalierReports
import EspalierRuns

/// Criteria side by side as people read them.
enum ComparisonTable {
    static func tell(_ record: RunRecord, on console: Console) {
        guard let curves = record.curves, let first = curves.first else { return }
        if let accuracy = record.accuracy {
            let deviation = record.figures?["denseDeviation"].map { " ± \(Format.fixed(100 * $0, 2))" } ?? ""
            console.result("dense: \(Format.fixed(100 * accuracy, 2))\(deviation) % of the test data\n")
        }
        let texts = ComparisonTexts(curves)
        let sparsities = texts.sparsities.map { (title: $0, alignment: Table.Alignment.right) }
        var table = Table([("accuracy, %, at", .left)] + sparsities + [("deciding", .right)])
        for row in texts.accuracies { table.add([row.name] + row.cells + [row.deciding]) }
        console.result(table)
        let differences = texts.differences
        if !differences.isEmpty {
            console.result(
                "\nminus \(first.criterion), in points, paired over seeds, with 95 % Student-t intervals\n")
            var table = Table([("", .left)] + sparsities)
            for row in differences { table.add([row.name] + row.cells) }
            console.result(table)
        }
        for refusal in record.refusals ?? [] { console.result("\(refusal.name): \(refusal.reason)") }
    }

    /// A line for each run, under a line of names.
    static func csv(_ runs: [(criterion: String, record: RunRecord)]) -> String {
        var lines = [
            "criterion,requested_sparsity,achieved_sparsity,seed,accuracy,loss,validation_accuracy,validation_loss,"
                + "parameters,nonzero,macs,effective_macs,decision_seconds"
        ]
        for (criterion, record) in runs {
            let figures = record.figures ?? [:]
            let numbers: [(any CustomStringConvertible)?] = [
                record.requestedSparsity, record.achievedSparsity, record.seed, record.accuracy, record.loss,
                figures["validationAccuracy"], figures["validationLoss"], record.after?.parameters,
                record.after?.nonzero, record.after?.macs, record.after?.effectiveMacs,
                figures["decisionSeconds"],
            ]
            lines.append(
                ([criterion] + numbers.map { $0.map { $0.description } ?? "" }).joined(separator: ","))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
