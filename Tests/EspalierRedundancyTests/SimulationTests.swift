import EspalierRedundancy
import EspalierTensors
import Foundation
import Testing

/// The simulated twins against the closed forms. With confidence 1 - 1e-6 an interval is wrong once in a million draws.
struct SimulationTests {
    private static let confidence = 1 - 1e-6

    @Test(arguments: [[10], [2, 3, 5], [1, 1, 4, 8]], [UInt64(1), 2])
    func independentRemoval(sizes: [Int], seed: UInt64) throws {
        for rate in [0.1, 0.5, 0.8] { try independentRemoval(sizes, rate: rate, seed: seed) }
    }

    private func independentRemoval(_ sizes: [Int], rate: Double, seed: UInt64) throws {
        let removal = try IndependentRemoval(GroupSizes(sizes), rate: rate)
        var random = RandomSource(seed: seed)
        let tally = removal.simulate(trials: 20_000, random: &random)
        try check(
            tally, sizes, survival: removal.survivalProbability, failures: removal.expectedFailures,
            ofSize: removal.failureProbability)
    }

    @Test(arguments: [[10], [2, 3, 5], [1, 2, 3, 4]], [UInt64(1), 2])
    func uniformRemoval(sizes: [Int], seed: UInt64) throws {
        for removed in [2, 5, 8] { try uniformRemoval(sizes, removed: removed, seed: seed) }
    }

    private func uniformRemoval(_ sizes: [Int], removed: Int, seed: UInt64) throws {
        let removal = try UniformRemoval(GroupSizes(sizes), removed: removed)
        var random = RandomSource(seed: seed)
        let tally = removal.simulate(trials: 20_000, random: &random)
        try check(
            tally, sizes, survival: removal.survivalProbability, failures: removal.expectedFailures,
            ofSize: removal.failureProbability)
    }

    private func interval(_ count: Int, _ tally: RemovalTally) throws -> BinomialInterval {
        try BinomialInterval(successes: count, trials: tally.trials, confidence: Self.confidence)
    }

    private func check(
        _ tally: RemovalTally, _ sizes: [Int], survival: Double, failures: Double, ofSize: (Int) -> Double
    ) throws {
        #expect(try interval(tally.survivals, tally).contains(survival))
        for size in Set(sizes) {
            #expect(try interval(tally.failuresOfFirst(size: size), tally).contains(ofSize(size)))
        }
        // The variance is at most that of independent groups: of a fixed number of units, what one group loses another keeps.
        let variance = sizes.map(ofSize).reduce(0) { $0 + $1 * (1 - $1) }
        // Six standard errors, and what can go unseen: e^-14 is a millionth.
        let error = (variance / Double(tally.trials)).squareRoot()
        #expect(abs(tally.meanFailures - failures) <= 6 * error + 14 / Double(tally.trials))
    }

    // MARK: The interval itself

    /// Textbook ends: nothing seen in n trials gives 1 - (tail)^(1/n), and all seen the mirror image.
    @Test(arguments: [1, 10, 1000, 1_000_000])
    func endsOfTheInterval(trials: Int) throws {
        let none = try BinomialInterval(successes: 0, trials: trials, confidence: 0.95)
        let upper = -expm1(log(0.025) / Double(trials))
        #expect(none.lower == 0 && abs(none.upper - upper) < 1e-9 * upper)
        let all = try BinomialInterval(successes: trials, trials: trials, confidence: 0.95)
        #expect(all.upper == 1 && abs(1 - all.lower - upper) < 1e-9)
    }

    /// Where the binomial sums themselves say the ends must be.
    @Test(arguments: [(3, 10), (1, 7), (25, 60), (99, 100)])
    func tailsAreHalfTheRest(successes: Int, trials: Int) throws {
        let interval = try BinomialInterval(successes: successes, trials: trials, confidence: 0.9)
        func cumulative(_ range: ClosedRange<Int>, _ p: Double) -> Double {
            range.reduce(0) { sum, k in
                let choose =
                    lgamma(Double(trials + 1)) - lgamma(Double(k + 1)) - lgamma(Double(trials - k + 1))
                return sum + exp(choose + Double(k) * log(p) + Double(trials - k) * log1p(-p))
            }
        }
        #expect(abs(cumulative(successes...trials, interval.lower) - 0.05) < 1e-10)
        #expect(abs(cumulative(0...successes, interval.upper) - 0.05) < 1e-10)
    }
}
