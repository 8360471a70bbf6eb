import EspalierReports
import EspalierRuns

/// An experiment with lottery tickets as people read it.
enum LotteryTable {
    static func tell(
        _ rounds: [RunRecord.LotteryRound], _ lottery: RunRecord.Lottery, on console: Console
    ) {
        let texts = LotteryTexts(rounds, lottery)
        let names = lottery.methods.map(LotteryTexts.name(of:))
        func table(_ rows: [(left: String, cells: [String])]) -> Table {
            var table = Table([("left", .right)] + names.map { ($0, Table.Alignment.right) })
            for row in rows { table.add([row.left] + row.cells) }
            return table
        }
        console.result("accuracy on the test data after the last step, %; * matches the dense network\n")
        console.result(table(texts.accuracies))
        console.result("\nsteps till the least validation loss\n")
        console.result(table(texts.earlySteps))
        var facts = FactSheet()
        for (method, name) in zip(lottery.methods, names) {
            let share = lottery.smallestMatching[method]
            facts.add(
                name,
                share.map { "matches with \(Format.percent($0)) of the weights" } ?? "is not shown to match")
        }
        console.result("\n" + facts.rendered())
    }
}
