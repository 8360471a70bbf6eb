import EspalierReports
import EspalierRuns

/// An experiment with lottery tickets as people read it.
enum LotteryTable {
    static func tell(
        _ rounds: [RunRecord.LotteryRound], _ lottery: RunRecord.Lottery, on console: Console
    ) {
        console.result("accuracy on the test data after the last step, %; * matches the dense network\n")
        console.result(table(rounds, lottery.methods, accuracy))
        console.result("\nsteps till the least validation loss\n")
        console.result(table(rounds, lottery.methods) { spread($0.earlyStep, scale: 1, digits: 0) })
        var facts = FactSheet()
        for method in lottery.methods {
            let text =
                lottery.smallestMatching[method].map { "matches with \(Format.percent($0)) of the weights" }
                ?? "is not shown to match"
            facts.add(method, text)
        }
        console.result("\n" + facts.rendered())
    }

    private static func table(
        _ rounds: [RunRecord.LotteryRound], _ methods: [String],
        _ cell: (RunRecord.TicketResult) -> String
    ) -> Table {
        var table = Table([("left", .right)] + methods.map { ($0, Table.Alignment.right) })
        for round in rounds {
            table.add(
                [Format.percent(round.remaining)] + methods.map { round.results[$0].map(cell) ?? "" })
        }
        return table
    }

    private static func accuracy(_ result: RunRecord.TicketResult) -> String {
        spread(.init(mean: result.mean, std: result.std), scale: 100, digits: 2)
            + (result.matches == nil ? "" : result.matches == true ? " *" : "  ")
    }

    private static func spread(_ spread: RunRecord.OverSeeds, scale: Double, digits: Int) -> String {
        Format.fixed(scale * spread.mean, digits)
            + (spread.std.map { " ± \(Format.fixed(scale * $0, digits))" } ?? "")
    }
}
