package import EspalierRuns

/// Cells of tables of lottery-ticket experiments, the same on the command line and in reports.
package struct LotteryTexts {
    private let rounds: [RunRecord.LotteryRound]
    private let lottery: RunRecord.Lottery

    package init(_ rounds: [RunRecord.LotteryRound], _ lottery: RunRecord.Lottery) {
        self.rounds = rounds
        self.lottery = lottery
    }

    /// How a method is called on the command line: "random-mask" for "randomMask".
    package static func name(of method: String) -> String {
        method.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : "\($1)" }
    }

    /// By round, of each method the accuracy in percent, with the standard deviation over seeds and a star where it matches.
    package var accuracies: [(left: String, cells: [String])] {
        rows { result in
            Self.spread(.init(mean: result.mean, std: result.std), scale: 100, digits: 2)
                + (result.matches == nil ? "" : result.matches == true ? " *" : "  ")
        }
    }

    /// By round, of each method the step with the least validation loss.
    package var earlySteps: [(left: String, cells: [String])] {
        rows { Self.spread($0.earlyStep, scale: 1, digits: 0) }
    }

    private func rows(_ cell: (RunRecord.TicketResult) -> String) -> [(left: String, cells: [String])] {
        rounds.map { round in
            (Format.percent(round.remaining), lottery.methods.map { round.results[$0].map(cell) ?? "" })
        }
    }

    private static func spread(_ spread: RunRecord.OverSeeds, scale: Double, digits: Int) -> String {
        Format.fixed(scale * spread.mean, digits)
            + (spread.std.map { " ± \(Format.fixed(scale * $0, digits))" } ?? "")
    }
}
