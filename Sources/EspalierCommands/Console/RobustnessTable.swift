import EspalierReports
import EspalierRuns

/// The robustness of networks as people read it.
enum RobustnessTable {
    static func tell(
        _ robustness: RunRecord.Robustness, refusals: [RunRecord.Refusal], on console: Console
    ) {
        guard !robustness.networks.isEmpty else { return }
        for (index, content) in RobustnessTexts(robustness).tables.enumerated() {
            console.result((index == 0 ? "" : "\n") + "\(content.title). \(content.note)\n")
            var table = Table(
                content.columns.enumerated().map { ($1, $0 == 0 ? .left : .right) })
            for row in content.rows { table.add(row) }
            console.result(table)
        }
        let sentences = RobustnessTexts(robustness).sentences
        if !sentences.isEmpty { console.result("\n" + sentences.joined(separator: "\n")) }
        for refusal in refusals { console.result("\n\(refusal.name): \(refusal.reason)") }
    }
}
