import EspalierRuns
import Foundation
import Testing

struct ComparisonTests {
    /// Compares groups of (seed, accuracy, macs).
    private func compare(_ groups: [(name: String, runs: [(UInt64?, Double, Int)])]) throws -> RunComparison {
        let folder = try TemporaryFolder()
        let store = try RunStore(at: folder("runs.sqlite"))
        return RunComparison(
            try groups.map { group in
                let ids = try group.runs.enumerated().map { index, run in
                    // Tells apart runs that are otherwise equal.
                    var record = record(group.name, seed: run.0, accuracy: run.1, macs: run.2)
                    record.notes = ["\(index)"]
                    return try store.add(record)
                }
                return (group.name, try store.records(ids: ids))
            })
    }

    @Test func seedsArePaired() throws {
        let comparison = try compare([
            ("a", [(1, 0.50, 100), (2, 0.60, 100), (3, 0.70, 100)]),
            ("b", [(3, 0.73, 50), (1, 0.51, 50), (2, 0.62, 50)]),
        ])
        let accuracy = try #require(comparison.differences.first { $0.name == "accuracy" })
        #expect(accuracy.group == "b" && accuracy.pairs == 3)
        #expect(abs(accuracy.mean - 0.02) < 1e-12)
        // Differences 0.01, 0.02, 0.03: deviation 0.01, t(0.975, 2) = 4.30265.
        let half = 4.30265272975 * 0.01 / 3.0.squareRoot()
        #expect(abs((accuracy.low ?? 0) - (0.02 - half)) < 1e-10)
        #expect(abs((accuracy.high ?? 0) - (0.02 + half)) < 1e-10)
        let macs = try #require(comparison.differences.first { $0.name == "macs" })
        // All equal: no interval.
        #expect(macs.mean == -50 && macs.pairs == 3 && macs.low == nil && macs.high == nil)
        #expect(comparison.groups[0].figures.first?.standardDeviation.map { abs($0 - 0.1) < 1e-12 } == true)
        #expect(comparison.notes.isEmpty)
    }

    @Test func whatCannotBePairedIsSaid() throws {
        func note(
            _ a: [(UInt64?, Double, Int)], _ b: [(UInt64?, Double, Int)]
        ) throws -> (String?, RunComparison.Difference?) {
            let comparison = try compare([("a", a), ("b", b)])
            return (comparison.notes.first, comparison.differences.first)
        }
        // Several runs of one seed: which pairs?
        let (repeated, first) = try note([(1, 0.5, 1), (1, 0.6, 1)], [(1, 0.5, 1), (2, 0.7, 1)])
        #expect(repeated?.contains("several runs of one seed") == true)
        #expect(first?.low == nil && abs((first?.mean ?? 0) - 0.05) < 1e-12)
        let (disjoint, second) = try note([(1, 0.5, 1), (2, 0.6, 1)], [(2, 0.5, 1), (3, 0.7, 1)])
        #expect(disjoint?.contains("share 1 seed:") == true && second?.low == nil)
        let (partial, third) = try note(
            [(1, 0.5, 1), (2, 0.6, 1), (7, 0, 1)], [(1, 0.6, 1), (2, 0.7, 1)])
        #expect(partial?.contains("leave out 1 run") == true && third?.pairs == 2)
        let (single, fourth) = try note([(1, 0.5, 1)], [(1, 0.75, 1)])
        #expect(single == nil && fourth?.mean == 0.25 && fourth?.low == nil)
    }

    @Test func otherDataAreSaid() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(at: folder("runs.sqlite"))
        let ids = try ["x", "y"].map { data in
            var record = record(accuracy: 0.5)
            record.data = .init(name: data, fingerprint: data)
            return try store.add(record)
        }
        let comparison = RunComparison(try ids.map { ("\($0)", try store.records(ids: [$0])) })
        #expect(comparison.notes.contains { $0.contains("2 different sets of data") })
    }

    /// The accuracy that a run ends with counts, wherever its command puts it.
    @Test func figuresComeFromTheEnd() {
        var record = record("prune", accuracy: nil, macs: 10)
        record.after?.accuracy = 0.75
        record.before = .init(parameters: 99, nonzero: 99, macs: 99, effectiveMacs: 99, accuracy: 0.9)
        record.figures = ["firingProbability": 0.25]
        let all = RunSummary(record).all
        #expect(
            all.map(\.name) == [
                "accuracy", "parameters", "nonzero", "macs", "effectiveMacs", "firingProbability",
            ])
        #expect(all.first?.value == 0.75)
    }
}
