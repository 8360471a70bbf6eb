import EspalierSearch
import EspalierTensors
import Testing

/// Points on a coarse grid, so that there are ties in single objectives and equal points.
func gridPoints(count: Int, dimension: Int, levels: Int, random: inout RandomSource) throws -> [Objectives] {
    try (0..<count).map { _ in
        try Objectives((0..<dimension).map { _ in Double(random.index(below: levels)) })
    }
}

struct FrontTests {
    @Test func dominanceOfPairs() throws {
        func dominates(_ one: [Double], _ other: [Double]) throws -> Bool {
            try Objectives(one).dominates(Objectives(other))
        }
        #expect(try dominates([1, 2], [1, 3]))
        #expect(try !dominates([1, 3], [1, 2]))
        #expect(try !dominates([1, 2], [1, 2]))
        #expect(try !dominates([1, 2], [2, 1]))
        #expect(try dominates([0, -0.0, 1], [-0.0, 0, .infinity]))
    }

    @Test func whatHasNoOrderIsRefused() throws {
        #expect(throws: SearchError.self) { try Objectives([1]) }
        let error = #expect(throws: SearchError.self) { try Objectives([1, .nan]) }
        guard case .notComparable(objective: 1, value: let value)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(value.isNaN)
        #expect(throws: SearchError.notComparable(objective: 0, value: -.infinity)) {
            try Objectives([-.infinity, 1])
        }
        #expect(throws: SearchError.objectiveCount(found: 3, expected: 2, point: 1)) {
            try CandidateSet([Objectives([1, 2]), Objectives([1, 2, 3])])
        }
        #expect(throws: SearchError.self) { try CandidateSet([]) }
    }

    @Test func frontByHand() throws {
        let points = [[1, 5], [2, 2], [5, 1], [2, 2], [2, 3], [5, 5], [1, 5], [1, 6]].map {
            $0.map(Double.init)
        }
        let candidates = try CandidateSet(points.map { try Objectives($0) })
        #expect(candidates.undominated() == [0, 1, 2, 3, 6])
    }

    @Test(arguments: 2...5, [UInt64(1), 2])
    func frontIsThatOfTheDefinition(dimension: Int, seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        for (count, levels) in [(1, 4), (2, 2), (7, 2), (60, 2), (60, 4), (60, 30)] {
            let points = try gridPoints(count: count, dimension: dimension, levels: levels, random: &random)
            let expected = points.indices.filter { one in
                !points.contains { $0.dominates(points[one]) }
            }
            #expect(try CandidateSet(points).undominated() == expected)
        }
    }

    /// The front neither depends on the order of the points nor on strictly increasing changes of an objective.
    @Test(arguments: [UInt64(3), 4])
    func frontIsInvariant(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let points = try gridPoints(count: 80, dimension: 3, levels: 6, random: &random)
        let order = random.permutation(of: points.count)
        let changed = try order.map { place in
            let values = points[place].values
            return try Objectives([values[2] * 1e-9, values[0] * values[0] * values[0], values[1] - 1e3])
        }
        let found = try CandidateSet(changed).undominated().map { order[$0] }.sorted()
        #expect(try CandidateSet(points).undominated() == found)
    }

    /// The front of a chain is one point, however long, and an antichain is all front.
    @Test func longChainsAndFronts() throws {
        let chain = try CandidateSet((0..<20_000).map { try Objectives([Double(-$0), Double(-$0)]) })
        #expect(chain.undominated() == [19_999])
        let antichain = try CandidateSet((0..<20_000).map { try Objectives([Double($0), Double(-$0)]) })
        #expect(antichain.undominated() == Array(0..<20_000))
    }

    @Test func divergedRunsCount() throws {
        let candidates = try CandidateSet(
            [[.infinity, 0.5], [0.1, 0.6], [.infinity, .infinity], [0.1, .infinity]].map {
                try Objectives($0)
            })
        #expect(candidates.undominated() == [0, 1])
    }
}
