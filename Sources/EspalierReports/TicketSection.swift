import EspalierRuns

/// How often randomly pruned networks trained, as the values that the template names.
struct TicketSection {
    private let tickets: RunRecord.TicketFrequencies

    init(_ tickets: RunRecord.TicketFrequencies) {
        self.tickets = tickets
    }

    var context: [String: Any] {
        let texts = TicketTexts(tickets)
        return [
            "verdict": texts.verdict, "confidence": texts.confidence, "chart": chart,
            "facts": texts.facts.map { ["name": $0.name, "value": $0.value] },
            "rows": texts.rows.map { row in
                [
                    "share": row.share, "successes": row.successes, "frequency": row.frequency,
                    "interval": row.interval, "fitted": row.fitted, "residual": row.residual,
                ]
            },
        ]
    }

    private var chart: String {
        LineChart(
            title: "How often networks succeed", horizontalTitle: "weights kept, %",
            series: [
                .init(name: "measured", points: tickets.points.map { (x: 100 * $0.share, y: $0.frequency) }),
                .init(name: "fitted", points: tickets.points.map { (x: 100 * $0.share, y: $0.fitted) }),
            ], format: { Format.percent($0, digits: 0) }
        ).rendered()
    }
}
