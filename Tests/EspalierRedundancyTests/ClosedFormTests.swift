import EspalierRedundancy
import EspalierTensors
import Foundation
import Testing

/// All choices of removed units of small groups, as the groups that each empties.
private func emptied(_ sizes: [Int]) -> [(removed: Int, failed: [Bool])] {
    let count = sizes.reduce(0, +)
    return (0..<(1 << count)).map { choice in
        var start = 0
        let failed = sizes.map { size in
            let mask = ((1 << size) - 1) << start
            start += size
            return choice & mask == mask
        }
        return (choice.nonzeroBitCount, failed)
    }
}

private func isClose(_ one: Double, _ other: Double, _ tolerance: Double = 1e-12) -> Bool {
    abs(one - other) <= tolerance * max(abs(one), abs(other))
}

struct ClosedFormTests {
    private static let layouts = [[1], [4], [2, 3], [3, 3, 3], [1, 2, 4], [5, 1, 1, 2], [2, 2, 2, 2, 2]]

    @Test func tenUnitsAtOneHalf() throws {
        let removal = try IndependentRemoval(GroupSizes([10]), rate: 0.5)
        #expect(removal.failureProbability(size: 10) == 0.0009765625)
        #expect(isClose(-expm1(removal.logSurvival), 0.0009765625))
    }

    /// Against the sum over all 2^n choices.
    @Test(arguments: layouts, [0, 0.1, 0.5, 0.93, 1])
    func independentRemovalIsWhatEnumerationGives(sizes: [Int], rate: Double) throws {
        let removal = try IndependentRemoval(GroupSizes(sizes), rate: rate)
        let count = sizes.reduce(0, +)
        var (survival, failures) = (0.0, 0.0)
        for (removed, failed) in emptied(sizes) {
            let weight = pow(rate, Double(removed)) * pow(1 - rate, Double(count - removed))
            if !failed.contains(true) { survival += weight }
            failures += weight * Double(failed.count { $0 })
        }
        #expect(abs(removal.survivalProbability - survival) < 1e-12)
        #expect(abs(removal.expectedFailures - failures) < 1e-12)
    }

    /// Against counting all choices of k, for every k.
    @Test(arguments: layouts)
    func uniformRemovalIsWhatEnumerationGives(sizes: [Int]) throws {
        let groups = try GroupSizes(sizes)
        let choices = emptied(sizes)
        for removed in 0...groups.unitCount {
            let removal = try UniformRemoval(groups, removed: removed)
            let these = choices.filter { $0.removed == removed }
            let all = Double(these.count)
            #expect(
                isClose(
                    removal.survivalProbability, Double(these.count { !$0.failed.contains(true) }) / all))
            for (group, size) in sizes.enumerated() {
                #expect(
                    isClose(
                        removal.failureProbability(size: size), Double(these.count { $0.failed[group] }) / all
                    ))
            }
            let failures = these.reduce(0) { $0 + $1.failed.count { $0 } }
            #expect(isClose(removal.expectedFailures, Double(failures) / all))
        }
    }

    /// Removing each unit with probability q is removing k, binomially distributed.
    @Test(arguments: [[3, 5, 2], [8, 8, 8, 8]], [0.05, 0.4, 0.9])
    func mixtureOfUniformRemovalsIsIndependentRemoval(sizes: [Int], rate: Double) throws {
        let groups = try GroupSizes(sizes)
        let count = groups.unitCount
        var (mixture, choose) = (0.0, 1.0)
        for removed in 0...count {
            mixture +=
                choose * pow(rate, Double(removed)) * pow(1 - rate, Double(count - removed))
                * (try UniformRemoval(groups, removed: removed).survivalProbability)
            choose *= Double(count - removed) / Double(removed + 1)
        }
        #expect(isClose(mixture, try IndependentRemoval(groups, rate: rate).survivalProbability, 1e-11))
    }

    /// One group survives jointly as it does alone; products and log-gamma agree.
    @Test(arguments: [(1000, 300, 5), (4000, 3990, 37), (100_000, 60_000, 12), (5000, 4900, 2000)])
    func formsOfOneGroupAgree(count: Int, removed: Int, size: Int) throws {
        let others = [Int](repeating: 1, count: count - size)
        let removal = try UniformRemoval(GroupSizes([size] + others), removed: removed)
        let byProducts = removal.failureProbability(size: size)
        let byLogGamma = UniformRemoval.logFailure(units: count, removed: removed, size: size)
        // lgamma of n is about n ln n, rounded.
        #expect(abs(log(byProducts) - byLogGamma) < 1e-15 * Double(count) * log(Double(count)) * 8)
        let alone = try UniformRemoval(GroupSizes([size, count - size]), removed: min(removed, count - size))
        if count <= 5000 {
            let together = alone.survivalProbability
            let fails = alone.failureProbability(size: size) + alone.failureProbability(size: count - size)
            #expect(abs(together + fails - 1) < 1e-10)
        }
    }

    /// Thousands of units neither overflow nor vanish, and many units removed from many groups tend to independence.
    @Test func largeNetworks() throws {
        let groups = try GroupSizes([Int](repeating: 4, count: 500))
        let exact = try UniformRemoval(groups, removed: 400).survivalProbability
        // By whole numbers, in Python.
        #expect(isClose(exact, 0.44877836805625, 1e-11))
        let independent = try IndependentRemoval(groups, rate: 0.2).survivalProbability
        #expect(isClose(exact, independent, 0.01))
        let few = try UniformRemoval(groups, removed: 4).survivalProbability
        let choose = 500.0 / (2000.0 * 1999 * 1998 * 1997 / 24)
        #expect(isClose(1 - few, choose, 1e-4))
        #expect(try UniformRemoval(groups, removed: 1501).survivalProbability == 0)
        #expect(try UniformRemoval(groups, removed: 1500).survivalProbability > 0)
    }

    /// Failures far below the spacing of doubles near 1.
    @Test func tinyRatesKeepTheirDigits() throws {
        let removal = try IndependentRemoval(GroupSizes([Int](repeating: 5, count: 1000)), rate: 1e-8)
        #expect(isClose(-expm1(removal.logSurvival), 1e-37))
        #expect(removal.survivalProbability == 1)
    }

    @Test(arguments: [1, 2, 7, 40], [1, 3, 1000])
    func bisectionFindsTheClosedForm(size: Int, count: Int) throws {
        let groups = try GroupSizes([Int](repeating: size, count: count))
        for risk in [1e-12, 0.01, 0.5, 0.999] {
            let found = try LargestRate.bisected(groups, risk: risk)
            let expected = try LargestRate.ofEqualGroups(count: count, size: size, risk: risk)
            #expect(isClose(found, expected, 1e-13))
            #expect(try LargestRate.of(groups, risk: risk) == expected)
        }
    }

    /// The next double is no longer safe.
    @Test(arguments: [[1, 2, 9], [3], [4, 4, 4, 100]], [1e-9, 0.05, 0.7])
    func largestRateIsTheLast(sizes: [Int], risk: Double) throws {
        let groups = try GroupSizes(sizes)
        let rate = try LargestRate.bisected(groups, risk: risk)
        #expect(try IndependentRemoval(groups, rate: rate).logSurvival >= log1p(-risk))
        #expect(try IndependentRemoval(groups, rate: rate.nextUp).logSurvival < log1p(-risk))
    }

    @Test func extremesOfRisk() throws {
        // Of 10,000 units 0.9^m is below all doubles.
        let ways: [(GroupSizes, Double) throws -> Double] = [LargestRate.of, LargestRate.bisected]
        for sizes in [[2, 3], [10_000, 20_000], [10_000], [1, 1]] {
            let groups = try GroupSizes(sizes)
            for find in ways {
                #expect(try find(groups, 1) == 1)
                let none = try find(groups, 0)
                #expect(none == 0 && none.sign == .plus)
            }
        }
    }

    @Test func whatCannotBeIsRefused() throws {
        #expect(throws: RedundancyError.self) { try GroupSizes([]) }
        #expect(throws: RedundancyError.self) { try GroupSizes([3, 0]) }
        #expect(throws: RedundancyError.self) { try GroupSizes([Int.max, Int.max]) }
        let groups = try GroupSizes([2])
        for rate in [-0.1, 1.1, .nan, .infinity] {
            #expect(throws: RedundancyError.self) { try IndependentRemoval(groups, rate: rate) }
            #expect(throws: RedundancyError.self) { try LargestRate.bisected(groups, risk: rate) }
            #expect(throws: RedundancyError.self) { try LargestRate.of(groups, risk: rate) }
        }
        #expect(throws: RedundancyError.self) { try UniformRemoval(groups, removed: 3) }
        #expect(throws: RedundancyError.self) { try UniformRemoval(groups, removed: -1) }
        #expect(throws: RedundancyError.self) {
            try BinomialInterval(successes: 3, trials: 2, confidence: 0.9)
        }
    }
}
