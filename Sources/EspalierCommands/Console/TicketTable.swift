import EspalierReports
import EspalierRuns

/// Frequencies of success and the model fitted to them, as people read them.
enum TicketTable {
    static func tell(_ tickets: RunRecord.TicketFrequencies, on console: Console) {
        let texts = TicketTexts(tickets)
        var table = Table([
            ("s", .right), ("succeeded", .right), ("measured", .right),
            ("\(texts.confidence) interval", .left), ("fitted", .right), ("residual", .right),
        ])
        for row in texts.rows {
            table.add(row.share, row.successes, row.frequency, row.interval, row.fitted, row.residual)
        }
        console.result(table)
        var facts = FactSheet()
        for fact in texts.facts { facts.add(fact.name, fact.value) }
        console.result("\n" + facts.rendered() + "\n\n" + texts.verdict)
    }
}
