import EspalierLottery
import EspalierRedundancy
import EspalierTensors
import Foundation
import Testing

/// The simulated twins against the closed forms. With confidence 1 - 1e-6 an interval is wrong once in a million draws.
@Suite struct TicketSimulationTests {
    private static func contains(_ count: Int, of trials: Int, _ probability: Double) throws -> Bool {
        try BinomialInterval(successes: count, trials: trials, confidence: 1 - 1e-6).contains(probability)
    }

    @Test(arguments: [(0.5, 3, 5), (0.8, 10, 4), (0.3, 1, 2), (0.9, 2, 1)], [UInt64(1), 2])
    func disjointCandidates(_ model: (s: Double, r: Int, m: Int), seed: UInt64) throws {
        let ticket = try TicketProbability(
            trainability: 0.6, share: model.s, size: Double(model.r), count: Double(model.m))
        var random = RandomSource(seed: seed)
        let tally = try TicketSimulation.disjoint(
            trainability: 0.6, share: model.s, size: model.r, count: model.m, trials: 20_000, random: &random)
        #expect(try Self.contains(tally.found, of: 20_000, ticket.foundProbability))
        #expect(try Self.contains(tally.successes, of: 20_000, ticket.probability))
    }

    @Test(arguments: [(0.5, 3, 20, 8), (0.7, 4, 50, 6), (0.4, 2, 3, 30), (0.6, 5, 1, 5)], [UInt64(1), 2])
    func overlappingCandidates(_ model: (s: Double, r: Int, m: Int, n: Int), seed: UInt64) throws {
        let tickets = try OverlappingTickets(
            trainability: 0.6, share: model.s, size: model.r, count: model.m, weightCount: model.n)
        var random = RandomSource(seed: seed)
        let tally = try TicketSimulation.overlapping(tickets, trials: 20_000, random: &random)
        #expect(try Self.contains(tally.found, of: 20_000, tickets.foundProbability))
        #expect(try Self.contains(tally.successes, of: 20_000, tickets.probability))
    }

    /// All masks of n weights, each with its probability, and of each the chance that m random candidates miss what is kept.
    @Test(arguments: [(0.3, 2, 5, 7), (0.8, 7, 3, 9), (0.5, 0, 2, 4), (0.6, 6, 4, 6)])
    func overlapByAllMasks(s: Double, r: Int, m: Int, n: Int) throws {
        func choose(_ n: Int, _ k: Int) -> Double {
            k > n ? 0 : (0..<k).reduce(1) { $0 * Double(n - $1) / Double($1 + 1) }
        }
        let sum = (0..<(1 << n)).reduce(0.0) { sum, mask in
            let kept = mask.nonzeroBitCount
            let weight = pow(s, Double(kept)) * pow(1 - s, Double(n - kept))
            return sum + weight * (1 - pow(1 - choose(kept, r) / choose(n, r), Double(m)))
        }
        let tickets = try OverlappingTickets(
            trainability: 1, share: s, size: r, count: m, weightCount: n)
        #expect(abs(tickets.foundProbability - sum) < 1e-12)
    }

    /// Overlap never helps, does nothing to one candidate, and vanishes among ever more weights.
    @Test func overlapLowersTheProbability() throws {
        for (s, r, m) in [(0.5, 10, 1000), (0.9, 20, 10), (0.2, 3, 100)] {
            let apart = try TicketProbability(
                trainability: 1, share: s, size: Double(r), count: Double(m)
            ).foundProbability
            var last = 0.0
            for n in [20, 100, 1000, 100_000] {
                let found = try OverlappingTickets(
                    trainability: 1, share: s, size: r, count: m, weightCount: n
                ).foundProbability
                #expect(found > last && found < apart, "s \(s) r \(r) m \(m) n \(n)")
                last = found
            }
            #expect(apart - last < 0.01)
            let one = try OverlappingTickets(
                trainability: 1, share: s, size: r, count: 1, weightCount: 50)
            #expect(abs(one.foundProbability / pow(s, Double(r)) - 1) < 1e-10)
        }
        let whole = try OverlappingTickets(trainability: 1, share: 1, size: 3, count: 1, weightCount: 4)
        #expect(whole.foundProbability == 1)
    }

    @Test func whatWouldTakeTooLongIsRefused() throws {
        var random = RandomSource(seed: 0)
        func isTooLarge(_ body: (inout RandomSource) throws -> TicketSimulation) -> Bool {
            do {
                _ = try body(&random)
                return false
            } catch TicketError.tooLarge {
                return true
            } catch {
                return false
            }
        }
        for (size, count, trials) in [
            (2000, 1000, 1), (Int.max, 2, 1), (1, 2_000_000, 1), (1000, 1000, 1_000_000),
        ] {
            #expect(
                isTooLarge {
                    try TicketSimulation.disjoint(
                        trainability: 1, share: 0.999, size: size, count: count, trials: trials, random: &$0)
                }, "\(size) \(count) \(trials)")
        }
        #expect(throws: TicketError.self) {
            try OverlappingTickets(trainability: 1, share: 0.5, size: 5, count: 1, weightCount: 4)
        }
    }
}
