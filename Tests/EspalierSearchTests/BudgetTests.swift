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
    func dualAscentSwings(budget: Double) {
        var price = 0.0
        var visited: [Double] = []
        for _ in 0..<400 {
            let best = front.minimum(points: 20) { x, y in front.risk(x, y) + price * x }
            price = max(0, price + 0.1 * (best.x - budget))
            visited.append(best.x)
        }
        let late = visited.suffix(200)
        #expect(Set(late) == [0, 1])
        // In the mean it keeps to the budget, with networks that do not.
        #expect(abs(late.reduce(0, +) / 200 - budget) < 0.05)
    }

    /// A price that is charged only while the cost is above its path finds interior points of the concave front, each within
    /// 1 % of the budget.
    @Test(arguments: budgets, [UInt64(1), 2])
    func budgetsFindTheInterior(budget: Double, seed: UInt64) {
        var random = RandomSource(seed: seed)
        var path = PricePath(.budgets([budget]))
        var point = (x: 0.5 + random.uniform() / 2, y: random.uniform())
        let steps = 20_000
        for step in 1...steps {
            front.step(&point, price: path.isCharging ? path.lambda : 0, rate: 1e-3)
            path.advance([point.x], progress: Double(step) / Double(steps), stepShare: 1 / Double(steps))
        }
        #expect(abs(point.x - budget) < 0.01 * budget, "seed \(seed): \(point)")
        // On the front.
        #expect(point.y == 0)
    }
}
