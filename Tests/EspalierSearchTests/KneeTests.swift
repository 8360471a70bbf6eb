import EspalierSearch
import EspalierTensors
import Testing

struct KneeTests {
    private func knee(_ points: [[Double]]) throws -> Int? {
        try CandidateSet(points.map { try Objectives($0) }).knee()
    }

    /// On y = 1 / x from 1/9 to 9 the tangent is parallel to the chord at x = 1.
    @Test func hyperbola() throws {
        let points = (-20...20).map { step -> [Double] in
            let x = 1 + Double(step) / 20 * (step < 0 ? 8.0 / 9 : 8)
            return [x, 1 / x]
        }
        #expect(try knee(points) == 20)
    }

    /// The same in other units, from another origin, in another order and among dominated points.
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func invariances(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        // On the convex curve x^p + y^p = 1 with p below 1.
        let points = (0..<50).map { _ -> [Double] in
            let x = random.uniform()
            let rest = 1 - x.squareRoot()
            return [x, rest * rest]
        }
        let expected = try #require(try knee(points))
        for (first, second) in [(1e-7, 3.0), (1e9, 0.37), (17, 1e-12)] {
            #expect(try knee(points.map { [first * $0[0], second * $0[1]] }) == expected)
        }
        #expect(try knee(points.map { [$0[0] + 3, $0[1] - 8] }) == expected)
        #expect(try knee(points.map { [$0[1], $0[0]] }) == expected)
        let dominated = points.map { [$0[0] + 5, $0[1] + 2] }
        #expect(try knee(points + dominated) == expected)
        #expect(try knee(dominated + points) == expected + points.count)
        #expect(try knee(points + [[-1, .infinity]]) == expected)
    }

    @Test func frontsWithoutKnee() throws {
        let line = (0...100).map { [Double($0) * 0.1, 7 - Double($0) * 0.03] }
        #expect(try knee(line) == nil)
        let concave = (0...100).map { [Double($0) / 100, 1 - Double($0 * $0) / 10_000] }
        #expect(try knee(concave) == nil)
        #expect(try knee([[1, 2]]) == nil)
        #expect(try knee([[1, 2], [2, 1]]) == nil)
        #expect(try knee([[1, 2], [1, 2], [.infinity, 0]]) == nil)
        #expect(throws: SearchError.self) { try knee([[1, 2, 3]]) }
    }
}
