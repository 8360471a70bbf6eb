import EspalierSearch
import EspalierTensors
import Foundation
import Testing

struct PricePathTests {
    /// What is left at a point of training that is just what the path allows.
    static func path(_ budget: Double, progress: Double) -> Double {
        let rest = 1 - min(1, progress / PricePath.end)
        return budget + (1 - budget) * rest * rest * rest
    }

    @Test func aFixedPriceNeverMoves() {
        var path = PricePath(.fixed(0.25))
        for step in 1...200 {
            path.advance([], progress: Double(step) / 200, stepShare: 1.0 / 200)
            #expect(path.lambda == 0.25 && path.isCharging)
            #expect(!path.isMet([], progress: Double(step) / 200))
        }
    }

    /// Far above it doubles in a fixed share of training, whatever the number of steps; near to the path it grows in proportion to
    /// the distance; below it halves.
    @Test(arguments: [50, 1000], [0.015, 0.05])
    func theFactorFollowsTheDistance(steps: Int, doubling: Double) {
        let share = 1 / Double(steps)
        func factor(_ excess: Double) -> Double {
            var path = PricePath(.budgets([0.3]), doubling: doubling)
            let before = path.lambda
            path.advance([Self.path(0.3, progress: 0.5) + excess], progress: 0.5, stepShare: share)
            #expect(path.isCharging == (excess > 0))
            return path.lambda / before
        }
        let whole = factor(0.5)
        #expect(whole > 1)
        #expect(abs(factor(0.1) - whole) < 1e-12 && abs(factor(0.03) - whole) < 1e-9)
        #expect(abs(factor(0.015) * factor(0.015) - whole) < 1e-9)
        #expect(abs(factor(-1e-9) * whole - 1) < 1e-12 && abs(factor(-0.5) * whole - 1) < 1e-12)
        // All of training far above would double it as often as that.
        #expect(abs(log2(whole) * Double(steps) - 1 / doubling) < 1e-9)
    }

    @Test func theHighestAboveItsPathDecides() {
        let costs = [Self.path(0.5, progress: 0.4) - 0.01, Self.path(0.2, progress: 0.4) + 0.01]
        var (both, second, first) = (
            PricePath(.budgets([0.5, 0.2])), PricePath(.budgets([0.2])), PricePath(.budgets([0.5]))
        )
        both.advance(costs, progress: 0.4, stepShare: 0.01)
        second.advance([costs[1]], progress: 0.4, stepShare: 0.01)
        first.advance([costs[0]], progress: 0.4, stepShare: 0.01)
        #expect(both.lambda == second.lambda && both.isCharging)
        #expect(first.lambda < both.lambda && !first.isCharging)
        #expect(!both.isMet(costs, progress: 0.4))
        #expect(both.isMet([costs[0], costs[1] - 0.02], progress: 0.4))
    }

    /// The path is all of the cost at the beginning, the budget from its end on, and never rises in between.
    @Test(arguments: [0.05, 0.5, 1])
    func thePathFallsToTheBudget(budget: Double) {
        let path = PricePath(.budgets([budget]))
        /// The highest cost that is allowed.
        func allowed(_ progress: Double) -> Double {
            var (low, high) = (0.0, 2.0)
            for _ in 0..<60 {
                let middle = (low + high) / 2
                if path.isMet([middle], progress: progress) { low = middle } else { high = middle }
            }
            return low
        }
        #expect(abs(allowed(0) - 1) < 1e-12)
        var last = 1.0
        for step in 0...40 {
            let now = allowed(Double(step) / 40)
            #expect(now <= last + 1e-12)
            #expect(abs(now - Self.path(budget, progress: Double(step) / 40)) < 1e-12)
            last = now
        }
        for progress in [PricePath.end, 0.9, 1] { #expect(abs(allowed(progress) - budget) < 1e-12) }
    }

    /// Interrupted anywhere, it goes on with the same bits.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func restoringContinues(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let costs = (0..<200).map { _ in [random.uniform(), random.uniform()] }
        func advance(_ path: inout PricePath, _ steps: Range<Int>) {
            for step in steps {
                path.advance(costs[step], progress: Double(step + 1) / 200, stepShare: 1.0 / 200)
            }
        }
        let stop = Int.random(in: 1..<200, using: &random)
        var straight = PricePath(.budgets([0.4, 0.3]))
        advance(&straight, 0..<200)
        var first = PricePath(.budgets([0.4, 0.3]))
        advance(&first, 0..<stop)
        var second = PricePath(.budgets([0.4, 0.3]))
        second.restore(lambda: first.lambda, isCharging: first.isCharging)
        #expect(second == first)
        advance(&second, stop..<200)
        #expect(second == straight)
        #expect(second.lambda.bitPattern == straight.lambda.bitPattern)
    }
}
