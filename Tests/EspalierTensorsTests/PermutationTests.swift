import EspalierTensors
import Testing

struct PermutationTests {
    @Test(arguments: [0, 1, 2, 7, 1000])
    func everyNumberOnce(count: Int) {
        var random = RandomSource(seed: 5)
        let order = random.permutation(of: count)
        #expect(order.sorted() == Array(0..<count))
        var again = RandomSource(seed: 5)
        #expect(again.permutation(of: count) == order)
    }

    @Test func allOrdersAreEquallyLikely() {
        var random = RandomSource(seed: 11)
        var counts: [[Int]: Int] = [:]
        let draws = 60_000
        for _ in 0..<draws { counts[random.permutation(of: 4), default: 0] += 1 }
        #expect(counts.count == 24)
        // Chi-squared with 23 degrees of freedom: 49.7 is exceeded once in a thousand times.
        let expected = Double(draws) / 24
        let statistic = counts.values.reduce(0.0) {
            $0 + (Double($1) - expected) * (Double($1) - expected) / expected
        }
        #expect(statistic < 49.7)
    }

    @Test func indexCoversItsRange() {
        var random = RandomSource(seed: 1)
        let draws = (0..<1000).map { _ in random.index(below: 3) }
        #expect(Set(draws) == [0, 1, 2])
        #expect((0..<100).allSatisfy { _ in random.index(below: 1) == 0 })
        // Beyond half of the 64 bits nearly every other draw must be refused to stay unbiased.
        #expect((0..<100).allSatisfy { _ in random.index(below: .max) >= 0 })
    }
}
