/// What the networks of a lottery-ticket experiment say together.
package struct LotterySummary: Sendable {
    package let rounds: [RunRecord.LotteryRound]
    /// The least share of weights that matches the dense network, by method.
    package let smallestMatching: [String: Double]

    /// How much accuracy may be lost for a network to match: two in a thousand of the test data.
    package static let margin = 0.002
    private static let level = 0.05
    /// Of the dense networks, and of those pruned from them and rewound.
    package static let winning = "winning"

    /// A network matches if the hypothesis that it loses ``margin`` or more, against the dense network of its seed after as many
    /// steps, is rejected at 5 %: one-sided paired Student t, Holm-corrected over the rounds of its method. That it is not
    /// significantly worse would not do: with few seeds nothing is.
    package init(_ tickets: [RunRecord.Ticket]) {
        let byMethod = Dictionary(grouping: tickets, by: \.method)
        let dense = tickets.filter { $0.method == Self.winning && $0.round == 0 }
        var results: [Int: [String: RunRecord.TicketResult]] = [:]
        var smallest: [String: Double] = [:]
        for (method, tickets) in byMethod {
            let rounds = Dictionary(grouping: tickets, by: \.round)
            var tested: [(round: Int, pValue: Double)] = []
            for (round, tickets) in rounds {
                var result = RunRecord.TicketResult(tickets)
                if round > 0 {
                    let accuracies = PairedInterval(
                        bySeed(tickets, \.accuracy), minus: bySeed(dense, \.accuracy))
                    let steps = PairedInterval(
                        bySeed(tickets) { Double($0.earlyStep) },
                        minus: bySeed(dense) { Double($0.earlyStep) })
                    result.difference = accuracies.map { .init($0) }
                    result.stepDifference = steps.map { .init($0) }
                    if let accuracies { tested.append((round, accuracies.pValue(above: -Self.margin))) }
                }
                results[round, default: [:]][method] = result
            }
            for (test, pValue) in zip(tested, HolmCorrection.adjusted(tested.map(\.pValue))) {
                let matches = pValue < Self.level
                results[test.round]?[method]?.pValue = pValue
                results[test.round]?[method]?.matches = matches
                let remaining = SampleSummary((rounds[test.round] ?? []).map(\.remaining)).mean
                if matches { smallest[method] = min(smallest[method] ?? 1, remaining) }
            }
        }
        smallestMatching = smallest
        rounds = results.sorted { $0.key < $1.key }.map { round, results in
            let remaining = tickets.filter { $0.round == round }.map(\.remaining)
            return RunRecord.LotteryRound(
                round: round, remaining: SampleSummary(remaining).mean, results: results)
        }
    }
}

private func bySeed(
    _ tickets: [RunRecord.Ticket], _ value: (RunRecord.Ticket) -> Double
) -> [UInt64: Double] {
    Dictionary(tickets.map { ($0.seed, value($0)) }, uniquingKeysWith: { $1 })
}

extension RunRecord.TicketResult {
    fileprivate init(_ tickets: [RunRecord.Ticket]) {
        let accuracy = SampleSummary(tickets.map(\.accuracy))
        self.init(
            mean: accuracy.mean, std: accuracy.standardDeviation, runs: accuracy.count,
            validation: SampleSummary(tickets.map(\.validation)).mean,
            earlyStep: .init(SampleSummary(tickets.map { Double($0.earlyStep) })),
            earlyAccuracy: .init(SampleSummary(tickets.map(\.earlyAccuracy))))
    }
}

extension RunRecord.OverSeeds {
    package init(_ summary: SampleSummary) {
        self.init(mean: summary.mean, std: summary.standardDeviation)
    }
}
