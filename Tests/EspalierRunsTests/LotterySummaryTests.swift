import EspalierRuns
import Foundation
import Testing

struct LotterySummaryTests {
    private func ticket(
        _ method: String, seed: UInt64, round: Int, accuracy: Double, step: Int = 1000
    ) -> RunRecord.Ticket {
        RunRecord.Ticket(
            method: method, seed: seed, round: round, remaining: pow(0.8, Double(round)), accuracy: accuracy,
            validation: accuracy - 0.001, earlyStep: step, earlyAccuracy: accuracy + 0.001, steps: 2000,
            layers: [])
    }

    private let dense = [0.880, 0.884, 0.882]

    private var tickets: [RunRecord.Ticket] {
        var tickets: [RunRecord.Ticket] = []
        for (seed, accuracy) in dense.enumerated() {
            let seed = UInt64(seed)
            tickets.append(ticket("winning", seed: seed, round: 0, accuracy: accuracy))
            // Better by 0.3, 0.4 and 0.5 points, and sooner.
            tickets.append(
                ticket(
                    "winning", seed: seed, round: 1, accuracy: accuracy + 0.003 + 0.001 * Double(seed),
                    step: 700 + 10 * Int(seed)))
            // Worse by about the margin: no matching.
            tickets.append(
                ticket("winning", seed: seed, round: 2, accuracy: accuracy - 0.002 + 0.001 * Double(seed % 2))
            )
            tickets.append(ticket("reinit", seed: seed, round: 1, accuracy: accuracy - 0.02))
        }
        return tickets
    }

    /// By hand: the mean is 0.004, the deviation 0.001, t = 0.006 / (0.001 / sqrt 3) = 10.392 with 2 degrees of freedom, where
    /// P(T > t) = 1/2 - t / (2 sqrt(2 + t^2)) = 0.004567; of two rounds it is the smaller, so Holm doubles it.
    @Test func matchingIsNonInferiorityCorrectedByHolm() throws {
        let summary = LotterySummary(tickets)
        #expect(summary.rounds.map(\.round) == [0, 1, 2])
        let first = try #require(summary.rounds[1].results["winning"])
        let t = 0.006 / (0.001 / 3.0.squareRoot())
        let tail = 0.5 - t / (2 * (2 + t * t).squareRoot())
        #expect(abs(try #require(first.pValue) - 2 * tail) < 1e-9)
        #expect(first.matches == true)
        #expect(abs(try #require(first.difference).mean - 0.004) < 1e-12)
        #expect(abs(try #require(first.stepDifference).mean + 290) < 1e-9)
        let second = try #require(summary.rounds[2].results["winning"])
        #expect(second.matches == false)
        #expect(summary.rounds[1].results["reinit"]?.matches == false)
        #expect(summary.smallestMatching == ["winning": 0.8])
        let own = try #require(summary.rounds[0].results["winning"])
        #expect(own.difference == nil && own.matches == nil && own.runs == 3)
        #expect(abs(own.mean - 0.882) < 1e-12)
        #expect(abs(try #require(own.std) - 0.002) < 1e-12)
        #expect(abs(own.earlyAccuracy.mean - 0.883) < 1e-12 && own.earlyStep.mean == 1000)
    }

    /// That nothing is shown with one seed is no match.
    @Test func oneSeedShowsNothing() throws {
        let summary = LotterySummary(tickets.filter { $0.seed == 0 })
        let result = try #require(summary.rounds[1].results["winning"])
        #expect(result.matches == nil && result.difference == nil && result.std == nil)
        #expect(summary.smallestMatching.isEmpty)
    }

    /// One network under three seeds' names: all differences are equal, which says nothing of their spread.
    @Test func copiesShowNothing() throws {
        let copies = dense.indices.flatMap { seed in
            tickets.filter { $0.seed == 0 }.map { ticket in
                var copy = ticket
                copy.seed = UInt64(seed)
                return copy
            }
        }
        let summary = LotterySummary(copies)
        let result = try #require(summary.rounds[1].results["winning"])
        let difference = try #require(result.difference)
        #expect(abs(difference.mean - 0.003) < 1e-12 && difference.low == nil && difference.high == nil)
        #expect(result.stepDifference == RunRecord.Difference(mean: -300))
        #expect(result.matches == false && result.pValue == 1 && summary.smallestMatching.isEmpty)
        let json = try JSONEncoder().encode(difference)
        #expect(String(decoding: json, as: UTF8.self).contains("mean"))
        #expect(!String(decoding: json, as: UTF8.self).contains("low"))
    }

    /// Seeds that only one of both has are left out of the pairs.
    @Test func pairsAreOfTheSameSeeds() throws {
        var some = tickets.filter { !($0.round == 0 && $0.seed == 1) }
        some.append(ticket("winning", seed: 9, round: 1, accuracy: 0.1))
        let result = try #require(LotterySummary(some).rounds[1].results["winning"])
        #expect(abs(try #require(result.difference).mean - 0.004) < 1e-12)
        #expect(result.runs == 4)
    }

    @Test func roundsKeepTheirMethodsAsKeys() throws {
        let rounds = LotterySummary(tickets).rounds
        let json = try JSONEncoder().encode(rounds)
        let list = try #require(try JSONSerialization.jsonObject(with: json) as? [[String: Any]])
        #expect(Set(list[1].keys) == ["round", "remaining", "winning", "reinit"])
        let winning = try #require(list[1]["winning"] as? [String: Any])
        #expect(winning["mean"] as? Double == rounds[1].results["winning"]?.mean)
        #expect(try JSONDecoder().decode([RunRecord.LotteryRound].self, from: json) == rounds)
    }
}
