import EspalierRuns
import Foundation
import Testing

struct StatisticsTests {
    /// Quantiles by SciPy 1.x, `scipy.stats.t.ppf`, at probabilities 0.6, 0.95, 0.975 and 0.9995.
    @Test(arguments: [
        (1, [0.324919696233, 6.31375151468, 12.7062047362, 636.619248769]),
        (2, [0.288675134595, 2.91998558035, 4.30265272975, 31.5990545764]),
        (3, [0.276670662333, 2.3533634348, 3.18244630528, 12.9239786367]),
        (4, [0.270722294708, 2.13184678633, 2.7764451052, 8.61030158138]),
        (5, [0.267180865704, 2.01504837333, 2.57058183564, 6.86882662588]),
        (10, [0.260184829492, 1.81246112281, 2.22813885199, 4.5868938587]),
        (30, [0.255605364952, 1.69726088659, 2.0422724563, 3.64595863504]),
        (99, [0.254029012152, 1.66039115602, 1.98421695159, 3.39152883336]),
        (1000, [0.253414515839, 1.64637881729, 1.96233908083, 3.30028264842]),
    ])
    func quantiles(degrees: Int, expected: [Double]) throws {
        let distribution = try #require(StudentT(degreesOfFreedom: degrees))
        for (probability, value) in zip([0.6, 0.95, 0.975, 0.9995], expected) {
            #expect(abs(distribution.quantile(probability) / value - 1) < 1e-10)
            #expect(abs(distribution.quantile(1 - probability) / -value - 1) < 1e-9)
            #expect(abs(distribution.cumulativeProbability(value) - probability) < 1e-11)
        }
        #expect(distribution.quantile(0.5) == 0)
        #expect(distribution.quantile(1) == .infinity)
    }

    /// Student's own data (Student 1908; the sleep data): extra hours of sleep of ten people under two drugs. R's `t.test(paired
    /// = TRUE)` says mean -1.58, interval -2.4598858 to -0.7001142.
    @Test func sleep() throws {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
        func bySeed(_ values: [Double]) -> [UInt64: Double] {
            Dictionary(uniqueKeysWithValues: zip(0..., values).map { (UInt64($0), $1) })
        }
        let interval = try #require(PairedInterval(bySeed(first), minus: bySeed(second)))
        #expect(interval.count == 10)
        #expect(abs(interval.mean + 1.58) < 1e-12)
        #expect(abs(try #require(interval.low) + 2.4598858) < 5e-8)
        #expect(abs(try #require(interval.high) + 0.7001142) < 5e-8)
        // R: t = -4.0621, so P(T > t) = 1 - 0.002833 / 2.
        #expect(abs(interval.pValue(above: 0) - (1 - 0.002833 / 2)) < 1e-6)
    }

    @Test func onlySharedSeedsCount() throws {
        let interval = try #require(
            PairedInterval([1: 5, 2: 7, 3: 100], minus: [1: 4, 2: 4, 9: 0]))
        #expect(interval.count == 2)
        #expect(interval.mean == 2)
        #expect(abs(interval.standardDeviation - 2.0.squareRoot()) < 1e-15)
        // t(0.975, 1) = 12.706 times the standard error 1.
        #expect(abs(try #require(interval.high) - 2 - 12.7062047362) < 1e-9)
    }

    @Test func thereMustBeTwo() {
        #expect(PairedInterval([1]) == nil)
        #expect(PairedInterval([]) == nil)
        #expect(PairedInterval([1, .nan]) == nil)
        #expect(PairedInterval([1, 2], confidence: 1) == nil)
        #expect(PairedInterval([1: 2], minus: [1: 1]) == nil)
    }

    @Test func equalDifferencesHaveNoIntervalAndShowNothing() throws {
        let interval = try #require(PairedInterval([0.1, 0.1, 0.1]))
        #expect(interval.mean == 0.1 && interval.low == nil && interval.high == nil)
        #expect(interval.pValue(above: 0.05) == 1 && interval.pValue(above: 0.1) == 1)
    }

    /// One image of 360 more with every seed: the differences of the shares are equal but for rounding.
    @Test func differencesEqualButForRoundingAreEqual() throws {
        let right: [UInt64: Double] = [1: 331, 2: 299, 3: 347]
        let interval = try #require(
            PairedInterval(right.mapValues { ($0 + 1) / 360 }, minus: right.mapValues { $0 / 360 }))
        #expect(abs(interval.mean - 1.0 / 360) < 1e-15)
        #expect(interval.low == nil && interval.pValue(above: 0) == 1)
        let other = try #require(
            PairedInterval([1: 332.0 / 360, 2: 301.0 / 360], minus: right.mapValues { $0 / 360 }))
        #expect(other.low != nil)
    }

    /// Intervals cover the true mean as often as they say: 2,000 samples of five normal differences. The count lies within
    /// four standard errors (chance of failing by accident 6e-5 each).
    @Test(arguments: [(UInt64(1), 0.95), (UInt64(2), 0.8)])
    func coverage(seed: UInt64, confidence: Double) throws {
        var generator = SplitMix(state: seed)
        var covered = 0
        let trials = 2_000
        for _ in 0..<trials {
            let differences = (0..<5).map { _ in
                3 + (-2 * log(Double.random(in: 0x1p-53..<1, using: &generator))).squareRoot()
                    * cos(2 * .pi * Double.random(in: 0..<1, using: &generator))
            }
            let interval = try #require(PairedInterval(differences, confidence: confidence))
            if try #require(interval.low) <= 3, try #require(interval.high) >= 3 { covered += 1 }
        }
        let error = (confidence * (1 - confidence) / Double(trials)).squareRoot()
        #expect(abs(Double(covered) / Double(trials) - confidence) < 4 * error)
    }

    /// The example of R's `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")`.
    @Test func holm() {
        let adjusted = HolmCorrection.adjusted([0.01, 0.04, 0.03, 0.005])
        for (value, expected) in zip(adjusted, [0.03, 0.06, 0.06, 0.02]) {
            #expect(abs(value - expected) < 1e-15)
        }
        #expect(HolmCorrection.adjusted([0.9, 0.8]) == [1, 1])
    }
}

/// A small generator of random numbers with a seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
