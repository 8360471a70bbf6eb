import EspalierSearch
import EspalierTensors
import Testing

struct GroupShrinkageTests {
    private let thresholds = [0, 0.3, 0.999, 1, 1.001, 5]

    @Test func byHand() {
        #expect(shrunkGroup([3.0, 4], 2.5) == [1.5, 2])
        #expect(shrunkGroup([Float(3), -4], 2.5) == [1.5, -2])
        #expect(shrunkGroup([3.0, 4], 5) == [0, 0])
        #expect(shrunkGroup([3.0, 4], 0) == [3, 4])
        #expect(shrunkGroup([0.0, 0], 0) == [0, 0])
        var values: [Float] = [1.5, -0.5, 0.5, -3, .nan]
        values.withUnsafeMutableBufferPointer {
            SoftThreshold.apply(0.5, to: $0, slices: [WeightSlice(0..<5)])
        }
        #expect(Array(values[..<4]) == [1, 0, 0, -2.5])
        #expect(values[1].sign == .plus && values[4].isNaN)
    }

    /// Zero exactly from the threshold on, to the last place of the norm.
    @Test(arguments: [UInt64(1), 2, 3])
    func vanishesAtTheThreshold(seed: UInt64) {
        var random = RandomSource(seed: seed)
        for count in [1, 2, 3, 4, 5, 17, 1000] {
            let values = (0..<count).map { _ in Float(random.normal()) }
            let exact = values.withUnsafeBufferPointer {
                GroupShrinkage.norm(of: $0, slices: [WeightSlice(0..<count)])
            }
            #expect(abs(exact - norm(values)) <= 1e-14 * exact)
            #expect(shrunkGroup(values, exact).allSatisfy { $0 == 0 && $0.sign == .plus })
            #expect(shrunkGroup(values, exact.nextDown).contains { $0 != 0 })
        }
    }

    /// x is the shrunk u if and only if u - x is the projection of u on the ball of radius t (Moreau 1965).
    @Test(arguments: [UInt64(1), 2])
    func restIsTheProjectionOnABall(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let values = (0..<37).map { _ in random.normal() }
        for threshold in thresholds.map({ $0 * norm(values) }) {
            let rest = zip(values, shrunkGroup(values, threshold)).map { $0 - $1 }
            let factor = min(1, threshold / norm(values))
            for (rest, value) in zip(rest, values) { #expect(abs(rest - factor * value) < 1e-14) }
        }
    }

    /// Rotating before is rotating after; scaling values and threshold scales the result; sums of steps add up.
    @Test(arguments: [UInt64(1), 2])
    func invariances(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let values = (0..<6).map { _ in random.normal() }
        let (cosine, sine) = (0.28, 0.96)
        func rotated(_ x: [Double]) -> [Double] {
            [cosine * x[0] - sine * x[4], x[1], x[2], x[3], sine * x[0] + cosine * x[4], x[5]]
        }
        func areClose(_ one: [Double], _ other: [Double]) -> Bool {
            zip(one, other).allSatisfy { abs($0 - $1) < 1e-14 }
        }
        for threshold in thresholds {
            let plain = shrunkGroup(values, threshold)
            #expect(areClose(shrunkGroup(rotated(values), threshold), rotated(plain)))
            #expect(shrunkGroup(values.map { 1024 * $0 }, 1024 * threshold) == plain.map { 1024 * $0 })
            #expect(areClose(shrunkGroup(shrunkGroup(values, threshold / 3), 2 * threshold / 3), plain))
        }
    }

    /// A channel of two layers: the rows of one, the columns of the other. All else stays as it is.
    @Test func groupsAreSlicesOfTensors() {
        // A [3, 4] matrix, then a [2, 3, 5] tensor whose axis 1 reads the rows.
        var random = RandomSource(seed: 9)
        let original = (0..<42).map { _ in Float(random.normal()) }
        let slices = [
            WeightSlice(axis: 0, positions: 1..<2, shape: [3, 4]),
            WeightSlice(axis: 1, positions: 1..<3, shape: [2, 3, 5], base: 12),
        ]
        let members = Array(4..<8) + Array(17..<27) + Array(32..<42)
        #expect(slices.reduce(0) { $0 + $1.count } == members.count)
        var values = original
        let left = values.withUnsafeMutableBufferPointer {
            GroupShrinkage.apply(0.7, to: $0, slices: slices)
        }
        let gathered = members.map { original[$0] }
        let expected = shrunkGroup(gathered, 0.7)
        #expect(abs(left - (norm(gathered) - 0.7)) < 1e-12)
        #expect(members.map { values[$0] } == expected)
        for element in 0..<42 where !members.contains(element) {
            #expect(values[element] == original[element])
        }

        // The same slices, in a metric.
        let metric = (0..<42).map { _ in Float(random.uniform() + 0.1) }
        var scattered = original
        var dense = gathered
        metric.withUnsafeBufferPointer { metric in
            scattered.withUnsafeMutableBufferPointer {
                _ = MetricShrinkage.apply(penalty: 0.9, metric: metric, to: $0, slices: slices)
            }
        }
        members.map { metric[$0] }.withUnsafeBufferPointer { metric in
            dense.withUnsafeMutableBufferPointer {
                _ = MetricShrinkage.apply(
                    penalty: 0.9, metric: metric, to: $0, slices: [WeightSlice(0..<members.count)])
            }
        }
        // Sums over runs are taken in another order.
        for (one, other) in zip(members.map({ scattered[$0] }), dense) { #expect(abs(one - other) < 1e-6) }
        #expect(dense.contains { $0 != 0 })
        for element in 0..<42 where !members.contains(element) {
            #expect(scattered[element] == original[element])
        }
    }

    /// Neither squares of floats nor their sum leave the range, and a run that diverged is seen.
    @Test func extremes() {
        #expect(shrunkGroup([Float(3e38), 3e38], 0) == [3e38, 3e38])
        let tiny = shrunkGroup([Float(3e-30), 4e-30], 2.5e-30)
        #expect(abs(tiny[0] - 1.5e-30) < 1e-36 && abs(tiny[1] - 2e-30) < 1e-36)
        #expect(shrunkGroup([Float.nan, 1], 1e9).allSatisfy { $0.isNaN })
        #expect(shrunkGroup([Float](), 1) == [])
    }
}
