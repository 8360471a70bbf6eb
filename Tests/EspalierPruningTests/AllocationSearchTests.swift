import EspalierPruning
import EspalierTensors
import Testing

struct AllocationSearchTests {
    /// Parts in a row, as layers of a chain: each costs the product of its own width and its neighbour's.
    private struct Chain {
        let damages: [[Double]]
        let factors: [Double]
        let share: Double

        /// Curves of any shape that never fall: convex, concave, flat, with jumps.
        init(seed: UInt64) {
            var random = RandomSource(seed: seed)
            let parts = 2 + Int(random.next() % 3)
            damages = (0..<parts).map { _ in
                let levels = 3 + Int(random.next() % 5)
                let (bend, scale) = (0.2 + 3 * random.uniform(), random.uniform() + 0.01)
                var worst = 0.0
                return (0...levels).map { level in
                    guard level > 0 else { return 0 }
                    let share = Double(level) / Double(levels)
                    var value = scale
                    for _ in 0..<Int(bend * 2) { value *= share }
                    if random.uniform() < 0.2 { value += 0.3 * random.uniform() }
                    worst = max(worst, value)
                    return worst
                }
            }
            factors = (0...parts).map { _ in 0.2 + random.uniform() }
            share = 0.15 + 0.7 * random.uniform()
        }

        func cost(_ levels: [Int]) -> Double {
            let widths =
                [1] + levels.indices.map { 1 - 0.9 * Double(levels[$0]) / Double(damages[$0].count - 1) } + [
                    1
                ]
            return factors.indices.reduce(0) { $0 + factors[$1] * widths[$1] * widths[$1 + 1] }
        }

        var search: AllocationSearch {
            let whole = cost(damages.map { _ in 0 })
            return AllocationSearch(damages: damages) { cost($0) / (share * whole) }
        }

        func isMet(_ levels: [Int]) -> Bool { cost(levels) <= share * cost(damages.map { _ in 0 }) }

        /// The least damage of all combinations that meet the target.
        var optimum: Double? {
            var best: Double?
            var levels = damages.map { _ in 0 }
            while true {
                if isMet(levels) {
                    let damage = search.damage(levels)
                    best = min(best ?? damage, damage)
                }
                guard let part = levels.indices.first(where: { levels[$0] < damages[$0].count - 1 }) else {
                    return best
                }
                for lower in 0..<part { levels[lower] = 0 }
                levels[part] += 1
            }
        }
    }

    /// Against brute force: never better, hardly ever worse by more than a hundredth, and never by more than a half.
    @Test func nearlyTheBestOfAllCombinations() throws {
        var missed: [UInt64] = []
        for seed in 0..<300 as Range<UInt64> {
            let chain = Chain(seed: seed)
            guard let optimum = chain.optimum else {
                #expect(chain.search.levels() == nil, "seed \(seed)")
                continue
            }
            let levels = try #require(chain.search.levels(), "seed \(seed)")
            #expect(chain.isMet(levels), "seed \(seed)")
            let damage = chain.search.damage(levels)
            #expect(damage >= optimum - 1e-12, "seed \(seed)")
            #expect(damage <= 1.5 * optimum + 1e-12, "seed \(seed): \(damage), best \(optimum)")
            if damage > 1.01 * optimum + 1e-12 { missed.append(seed) }
        }
        #expect(missed.count <= 3, "seeds \(missed)")
    }

    /// With nothing to spare: any part that gave a level back would miss the target.
    @Test(arguments: 300..<330 as Range<UInt64>)
    func nothingIsRemovedInVain(seed: UInt64) throws {
        let chain = Chain(seed: seed)
        guard let levels = chain.search.levels() else { return }
        for part in levels.indices where levels[part] > 0 {
            var less = levels
            less[part] -= 1
            #expect(!chain.isMet(less))
        }
    }

    /// A step that looks no further than the next level would take the other part: here the first costs much and the
    /// rest nothing.
    @Test func concaveCurvesAreSeenThrough() throws {
        let search = AllocationSearch(damages: [[0, 1, 1, 1, 1], [0, 0.5, 1, 1.5, 2]]) { levels in
            Double(8 - levels[0] - levels[1]) / 4
        }
        #expect(try #require(search.levels()) == [4, 0])
    }

    @Test func nothingIsRemovedWhereTheTargetIsMet() {
        #expect(AllocationSearch(damages: [[0, 0, 0], [0, 1]]) { _ in 1 }.levels() == [0, 0])
    }

    @Test func outOfReachIsTold() {
        #expect(AllocationSearch(damages: [[0, 1]]) { Double(3 - $0[0]) }.levels() == nil)
    }
}

struct DamageCurveTests {
    @Test func noiseIsNoGain() {
        let curve = DamageCurve(
            [(0.5, 0.2), (0.25, -0.1), (0.75, 0.1), (0.9, 1.8)].map { (share: $0.0, increase: $0.1) })
        #expect(curve.damage(at: 0) == 0 && curve.damage(at: 0.25) == 0)
        #expect(abs(curve.damage(at: 0.375) - 0.1) < 1e-12)
        #expect(curve.damage(at: 0.5) == 0.2 && curve.damage(at: 0.75) == 0.2)
        #expect(curve.damage(at: 0.9) == 1.8 && curve.largestShare == 0.9)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func damageNeverFalls(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let curve = DamageCurve(
            (0..<8).map { _ in (share: random.uniform(), increase: random.normal()) })
        let values = (0...200).map { curve.damage(at: Double($0) / 200) }
        #expect(values[0] == 0)
        for (less, more) in zip(values, values.dropFirst()) { #expect(less <= more) }
    }

    @Test func lossesThatAreNoNumbersAreTheWorst() {
        let curve = DamageCurve(
            [(share: 0.1, increase: 3), (share: 0.2, increase: .nan), (share: 0.3, increase: .infinity)])
        #expect(curve.damage(at: 0.1) < curve.damage(at: 0.2))
        #expect(curve.damage(at: 0.2) == curve.damage(at: 0.3) && curve.damage(at: 0.3).isFinite)
    }
}
