import EspalierSearch
import EspalierTensors
import Testing

/// The second problem of Zitzler, Deb & Thiele (2000) in two variables: cost x and risk g (1 - (x / g)^2) with g = 1 + 9 y, for
/// x and y in 0...1. Its front is y = 0, risk = 1 - cost^2: concave throughout.
private struct ConcaveFront {
    func risk(_ x: Double, _ y: Double) -> Double {
        let spread = 1 + 9 * y
        return spread - x * x / spread
    }

    /// Ascending: the minimum over a grid, and the first of equals.
    func minimum(points: Int, of function: (Double, Double) -> Double) -> (x: Double, y: Double) {
        var (best, least) = ((x: 0.0, y: 0.0), Double.infinity)
        for first in 0...points {
            for second in 0...20 {
                let (x, y) = (Double(first) / Double(points), Double(second) / 20)
                let value = function(x, y)
                if value < least { (best, least) = ((x, y), value) }
            }
        }
        return best
    }

    /// One step down risk + price x, within the square.
    func step(_ point: inout (x: Double, y: Double), price: Double, rate: Double) {
        let spread = 1 + 9 * point.y
        let ratio = point.x / spread
        point.x = min(1, max(0, point.x - rate * (price - 2 * ratio)))
        point.y = min(1, max(0, point.y - rate * 9 * (1 + ratio * ratio)))
    }
}

private let budgets = [0.1, 0.25, 0.4, 0.5, 0.65, 0.8, 0.9]

struct BudgetTests {
    private let front = ConcaveFront()

    /// A weighted sum is concave in x at any y and increasing in y, so that its minimum is at an end of the front; none of a
    /// dense sweep finds another.
    @Test func weightedSumsFindTheEndsAlone() {
        var found: Set<Double> = []
        for step in 0...800 {
            let lambda = Double(step) / 200
            let best = front.minimum(points: 100) { x, y in front.risk(x, y) + lambda * x }
            #expect(best.y == 0)
            #expect(best.x == (lambda < 1 ? 1 : 0))
            found.insert(best.x)
        }
        #expect(found == [0, 1])
    }

    /// Descent along a weighted sum ends there, too, from wherever it begins.
    @Test func descentOnWeightedSumsFindsTheEndsAlone() {
        for step in 0...40 {
            for start in 0...10 {
                // Off the one place where nothing moves, x = lambda / 2.
                var point = (x: Double(start) / 10 + 0.001, y: 1.0)
                for _ in 0..<3000 { front.step(&point, price: Double(step) / 20, rate: 0.01) }
                #expect(point.y == 0 && (point.x == 0 || point.x == 1))
            }
        }
    }

    /// Dual ascent on weighted sums knows no other points either: it swings between the ends.
    @Test(arguments: budgets)
    func dualAscentSwings(budget: Double) throws {
        var multiplier = try BudgetMultiplier(budget: budget * 40, denseCost: 40, rate: 0.1)
        var visited: [Double] = []
        for _ in 0..<400 {
            let best = front.minimum(points: 20) { x, y in front.risk(x, y) + multiplier.value * x }
            multiplier.update(cost: 40 * best.x)
            visited.append(best.x)
        }
        let late = visited.suffix(200)
        #expect(Set(late) == [0, 1])
        // In the mean it keeps to the budget, with networks that do not.
        #expect(abs(late.reduce(0, +) / 200 - budget) < 0.05)
    }

    /// The price that depends on the cost finds interior points of the concave front, each within 1 % of the budget, and the
    /// multiplier is the front's slope there: lambda = 2 cost.
    @Test(arguments: budgets, [UInt64(1), 2])
    func multipliersFindTheInterior(budget: Double, seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let denseCost = 3e6
        var multiplier = try BudgetMultiplier(budget: budget * denseCost, denseCost: denseCost, rate: 10)
        var point = (x: random.uniform(), y: random.uniform())
        for _ in 0..<40 {
            for _ in 0..<200 {
                front.step(&point, price: multiplier.next(cost: point.x * denseCost), rate: 0.02)
            }
            multiplier.update(cost: point.x * denseCost)
        }
        #expect(abs(point.x - budget) < 0.01 * budget)
        #expect(abs(front.risk(point.x, point.y) - (1 - budget * budget)) < 0.01 * (1 - budget * budget))
        #expect(abs(multiplier.value - 2 * budget) < 0.02 * budget)
    }

    /// The same with exact minimisation, which settles where the rate is above twice the curvature of 2, and not below.
    @Test(arguments: budgets)
    func settlesAboveTwiceTheCurvature(budget: Double) throws {
        for (rate, settles) in [(3.0, false), (6.0, true), (30.0, true)] {
            var multiplier = try BudgetMultiplier(
                budget: budget, denseCost: 1, rate: rate, initialValue: 2 * budget + 0.1)
            var costs: [Double] = []
            for _ in 0..<60 {
                let best = front.minimum(points: 2000) { x, y in
                    front.risk(x, y) + multiplier.augmentedPenalty(cost: x)
                }
                multiplier.update(cost: best.x)
                costs.append(best.x)
            }
            let isSettled = costs.suffix(10).allSatisfy { abs($0 - budget) < 0.01 * budget }
            #expect(isSettled == settles, "rate \(rate): \(costs.suffix(4))")
        }
    }

    /// A budget that the network keeps by itself costs nothing.
    @Test func slackBudgetsAreFree() throws {
        var multiplier = try BudgetMultiplier(budget: 50, denseCost: 100, rate: 0.5, initialValue: 0.2)
        #expect(abs(multiplier.next(cost: 60) - 0.25) < 1e-15)
        multiplier.update(cost: 20)
        #expect(abs(multiplier.value - 0.05) < 1e-15)
        multiplier.update(cost: 20)
        #expect(multiplier.value == 0)
        #expect(multiplier.augmentedPenalty(cost: 20) == 0)
        #expect(multiplier.next(cost: .nan).isNaN)
    }

    /// The price is the slope of the augmented penalty.
    @Test func priceIsTheSlope() throws {
        let multiplier = try BudgetMultiplier(budget: 30, denseCost: 200, rate: 4, initialValue: 0.3)
        for cost in stride(from: 0.5, through: 150, by: 7.3) {
            let step = 1e-4
            let slope =
                (multiplier.augmentedPenalty(cost: cost + step)
                    - multiplier.augmentedPenalty(cost: cost - step))
                / (2 * step / 200)
            #expect(abs(slope - multiplier.next(cost: cost)) < 1e-6)
        }
    }

    @Test func whatCannotBeIsRefused() {
        for (budget, dense, rate, value) in [
            (-1.0, 1.0, 1.0, 0.0), (1, 0, 1, 0), (1, 1, 0, 0), (1, 1, 1, -1), (.nan, 1, 1, 0),
            (1, .infinity, 1, 0),
        ] {
            #expect(throws: SearchError.self) {
                try BudgetMultiplier(budget: budget, denseCost: dense, rate: rate, initialValue: value)
            }
        }
    }
}
