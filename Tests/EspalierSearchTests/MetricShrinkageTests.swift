import EspalierSearch
import EspalierTensors
import Foundation
import Testing

private let shares = [1e-9, 1e-3, 0.3, 0.9, 0.999, 1 - 1e-9]

struct MetricShrinkageTests {
    /// No step in any direction, of any length, makes the objective smaller.
    @Test(arguments: shares, [UInt64(1), 2, 3])
    func noPerturbationIsBetter(share: Double, seed: UInt64) {
        var random = RandomSource(seed: seed)
        for count in [1, 2, 7, 60] {
            let problem = ProximalProblem.random(count: count, share: share, random: &random)
            let x = problem.solution(as: Double.self).x
            let least = problem.objective(x)
            for trial in 0..<200 {
                // In the metric's own proportions, in those of the values, along one axis, and towards zero.
                var direction = (0..<count).map { element -> Double in
                    switch trial % 4 {
                    case 0: random.normal() * problem.metric[element].squareRoot()
                    case 1: random.normal() * problem.values[element]
                    case 2: element == trial / 4 % count ? problem.values[element] : 0
                    default: -x[element]
                    }
                }
                let length = pow(10, -8 + 8 * random.uniform())
                if trial % 8 < 4 { direction = direction.map { -$0 } }
                let moved = zip(x, direction).map { $0 + length * $1 }
                #expect(problem.objective(moved) >= least * (1 - 1e-14))
            }
        }
    }

    /// By nested golden-section search, which knows nothing of the equation.
    @Test(arguments: [0.1, 0.5, 0.95, 1.05], [UInt64(1), 2, 3])
    func planeIsSearched(share: Double, seed: UInt64) {
        var random = RandomSource(seed: seed)
        var problem = ProximalProblem(
            values: [random.normal(), random.normal()], metric: [0.05 + random.uniform(), 4],
            groupPenalty: 0)
        problem.groupPenalty = share * problem.dualNorm
        func least(_ function: (Double) -> Double) -> Double {
            var (low, high) = (-4.0, 4.0)
            let ratio = (5.0.squareRoot() - 1) / 2
            for _ in 0..<60 {
                let (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
                if function(left) < function(right) { high = right } else { low = left }
            }
            return (low + high) / 2
        }
        func inner(_ first: Double) -> Double { least { problem.objective([first, $0]) } }
        let first = least { problem.objective([$0, inner($0)]) }
        let found = problem.solution(as: Double.self).x
        // A minimum is flat: half the digits of the objective are those of its place.
        #expect(abs(found[0] - first) < 1e-6 && abs(found[1] - inner(first)) < 1e-6)
    }

    /// The equation of the norm holds, the gradient vanishes, and zero is exactly where it must be.
    @Test(arguments: shares + [1, 1 + 1e-9, 3], [UInt64(1), 2, 3, 4])
    func conditionsOfTheOptimum(share: Double, seed: UInt64) {
        var random = RandomSource(seed: seed)
        for count in [1, 2, 3, 10, 200] {
            let problem = ProximalProblem.random(count: count, share: share, random: &random)
            let (x, left) = problem.solution(as: Double.self)
            #expect((left == 0) == (problem.dualNorm <= problem.groupPenalty))
            #expect(x.allSatisfy { $0 == 0 } == (left == 0))
            guard left != 0 else { continue }
            let penalty = problem.groupPenalty
            let sum = zip(problem.values, problem.metric).reduce(0) {
                $0 + pow($1.0 / (left + penalty * $1.1), 2)
            }
            #expect(abs(sum - 1) < 1e-13)
            #expect(abs(norm(x) - left) < 1e-13 * left)
            for ((x, u), d) in zip(zip(x, problem.values), problem.metric) {
                #expect(abs((x - u) / d + penalty * x / left) <= 1e-12 * (abs(u) / d))
                #expect(u != 0 || x == 0)
            }
        }
    }

    /// Floats are as good as doubles rounded to floats.
    @Test(arguments: shares, [UInt64(1), 2, 3])
    func floatsAreFullyAccurate(share: Double, seed: UInt64) {
        var random = RandomSource(seed: seed)
        for count in [1, 5, 300] {
            let problem = ProximalProblem.random(count: count, share: share, random: &random)
            let (singles, singleNorm) = problem.solution(as: Float.self)
            let (doubles, doubleNorm) = problem.solution(as: Double.self)
            #expect(singleNorm == doubleNorm)
            for (single, double) in zip(singles, doubles) { #expect(single == Float(double)) }
        }
    }

    /// A constant metric is a step length.
    @Test(arguments: [UInt64(1), 2])
    func constantMetricIsAStepLength(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let values = (0..<9).map { _ in random.normal() }
        for (length, penalty) in [(0.1, 3.0), (1e-4, 1e3), (2, 0.1), (0.5, 100)] {
            let problem = ProximalProblem(
                values: values, metric: [Double](repeating: length, count: 9), groupPenalty: penalty)
            let plain = shrunkGroup(values, length * penalty)
            for (one, other) in zip(problem.solution(as: Double.self).x, plain) {
                #expect(abs(one - other) < 1e-14)
            }
        }
    }

    /// Two groups never move apart in the metric (firmly nonexpansive), and the elements' order does not matter.
    @Test(arguments: shares, [UInt64(1), 2, 3])
    func nonexpansive(share: Double, seed: UInt64) {
        var random = RandomSource(seed: seed)
        let one = ProximalProblem.random(count: 20, share: share, random: &random)
        var other = one
        other.values = one.values.map { $0 * (1 + random.normal()) }
        let (x, y) = (one.solution(as: Double.self).x, other.solution(as: Double.self).x)
        var (squares, products) = (0.0, 0.0)
        for element in 0..<20 {
            let (after, before) = (x[element] - y[element], one.values[element] - other.values[element])
            squares += after * after / one.metric[element]
            products += after * before / one.metric[element]
        }
        #expect(squares <= products * (1 + 1e-12))

        var reversed = one
        reversed.values.reverse()
        reversed.metric.reverse()
        for (here, there) in zip(x, reversed.solution(as: Double.self).x.reversed()) {
            #expect(abs(here - there) <= 1e-6 * abs(here) * 1e-6 / (1 - share))
        }
    }

    @Test func withoutPenaltyNothingMoves() {
        let problem = ProximalProblem(values: [0, 1e-20, -3], metric: [1, 2, 3], groupPenalty: 0)
        #expect(problem.solution(as: Double.self).x == problem.values)
        let zero = ProximalProblem(values: [0, 0], metric: [1, 2], groupPenalty: 0)
        #expect(zero.solution(as: Float.self).x == [0, 0])
    }

    @Test func whatIsNotFiniteIsSeen() {
        for value in [Double.nan, .infinity] {
            let problem = ProximalProblem(values: [1, value], metric: [1, 2], groupPenalty: 0.5)
            #expect(problem.solution(as: Float.self).norm.isNaN)
            #expect(problem.solution(as: Float.self).x.allSatisfy { $0.isNaN })
        }
    }

    /// As Adam computes it.
    @Test func adamsMetric() {
        let moments: [Float] = [0, 1e-12, 0.04, 100]
        var metric = [Float](repeating: -1, count: 4)
        metric.withUnsafeMutableBufferPointer { metric in
            moments.withUnsafeBufferPointer {
                AdamMetric.fill(
                    metric, secondMoment: $0, correction: 0.01, learningRate: 1e-3, epsilon: 1e-8)
            }
        }
        for (moment, scale) in zip(moments, metric) {
            let expected = 1e-3 / ((Double(moment) / 0.01).squareRoot() + 1e-8)
            #expect(abs(Double(scale) / expected - 1) < 1e-6)
        }
    }
}
