import EspalierSearch
import EspalierTensors
import Testing

struct HypervolumeTests {
    /// On a grid of whole numbers the volume is the number of unit cells whose lower corner some point is no worse than.
    private func cells(_ points: [Objectives], levels: Int, dimension: Int) -> Double {
        var count = 0
        var cell = [Double](repeating: 0, count: dimension)
        while true {
            if points.contains(where: { zip($0.values, cell).allSatisfy { $0 <= $1 } }) { count += 1 }
            guard let axis = cell.firstIndex(where: { $0 < Double(levels - 1) }) else { return Double(count) }
            cell[axis] += 1
            for lower in 0..<axis { cell[lower] = 0 }
        }
    }

    private func corner(_ value: Double, _ dimension: Int) throws -> Objectives {
        try Objectives([Double](repeating: value, count: dimension))
    }

    /// Exactly: whole numbers lose nothing to rounding. Some points lie on the reference's faces.
    @Test(arguments: 2...5, [UInt64(1), 2, 3])
    func volumeIsTheNumberOfCells(dimension: Int, seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        for (count, levels) in [(1, 2), (3, 5), (5, 2), (12, 5), (40, 5)] {
            let points = try gridPoints(
                count: count, dimension: dimension, levels: levels + 1, random: &random)
            let found = try CandidateSet(points).hypervolume(reference: corner(Double(levels), dimension))
            #expect(found == cells(points, levels: levels, dimension: dimension))
        }
    }

    /// Steps down a diagonal enclose n (n + 1) / 2 cells; in more dimensions, a cube with a block on each face.
    @Test func closedForms() throws {
        let count = 3000
        let line = try CandidateSet((0..<count).map { try Objectives([Double($0), Double(count - 1 - $0)]) })
        let steps = Double(count * (count + 1) / 2)
        #expect(try line.hypervolume(reference: corner(Double(count), 2)) == steps)
        for dimension in 2...7 {
            let points = try (0..<dimension).map { axis in
                try Objectives((0..<dimension).map { $0 == axis ? 0.25 : 0.5 })
            }
            // The cube of side 0.5 is common to all; each has 0.25 0.5^(d-1) of its own.
            let side = Double(sign: .plus, exponent: -dimension, significand: 1)
            let expected = side + Double(dimension) * side / 2
            #expect(try CandidateSet(points).hypervolume(reference: corner(1, dimension)) == expected)
        }
    }

    /// Volumes scale with the units, move with the origin, and do not know the objectives' order; a constant objective more
    /// multiplies by its distance, which takes the sweep in three dimensions to the slices in four.
    @Test(arguments: [UInt64(5), 6, 7])
    func invariances(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let points = (0..<60).map { _ in (0..<3).map { _ in random.uniform() } }
        func volume(_ change: ([Double]) -> [Double]) throws -> Double {
            try CandidateSet(points.map { try Objectives(change($0)) })
                .hypervolume(reference: Objectives(change([0.9, 0.8, 1.1])))
        }
        let plain = try volume { $0 }
        #expect(plain > 0)
        #expect(try abs(volume { [$0[0] * 1e-6, $0[1] * 300, $0[2]] } - plain * 3e-4) < 1e-15)
        #expect(try abs(volume { $0.map { $0 - 7 } } - plain) < 1e-12)
        #expect(try abs(volume { [$0[2], $0[0], $0[1]] } - plain) < 1e-13)
        for place in 0...3 {
            let deeper = try volume { values in
                var values = values
                values.insert(values[0] == 0.9 && values[1] == 0.8 ? 3 : 1, at: place)
                return values
            }
            #expect(abs(deeper - 2 * plain) < 1e-12)
        }
    }

    @Test func whatEnclosesNothing() throws {
        let candidates = try CandidateSet([[1, 0], [0, 2], [.infinity, 0]].map { try Objectives($0) })
        #expect(try candidates.hypervolume(reference: Objectives([1, 2])) == 0)
        #expect(try candidates.hypervolume(reference: Objectives([2, 2])) == 2)
        for reference in [[1, 2, 3], [1, .infinity]] {
            #expect(throws: SearchError.self) {
                try candidates.hypervolume(reference: Objectives(reference))
            }
        }
    }
}
