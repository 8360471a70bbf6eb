import EspalierReports
import EspalierRuns

/// The robustness of networks as people read it.
enum RobustnessTable {
    static func tell(
        _ robustness: RunRecord.Robustness, refusals: [RunRecord.Refusal], on console: Console
    ) {
        guard let dense = robustness.networks.first else { return }
        for (index, content) in RobustnessTexts(robustness).tables.enumerated() {
            console.result((index == 0 ? "" : "\n") + "\(content.title). \(content.note)\n")
            var table = Table(
                content.columns.enumerated().map { ($1, $0 == 0 ? .left : .right) })
            for row in content.rows { table.add(row) }
            console.result(table)
        }
        let verdicts = robustness.networks.compactMap { RobustnessTexts.verdict($0, against: dense.name) }
        if !verdicts.isEmpty { console.result("\n" + verdicts.joined(separator: "\n")) }
        for refusal in refusals { console.result("\n\(refusal.name): \(refusal.reason)") }
    }
}
