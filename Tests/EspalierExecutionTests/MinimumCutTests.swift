import EspalierExecution
import EspalierTensors
import Testing

struct MinimumCutTests {
    private struct Edge {
        let from: Int
        let to: Int
        let capacity: Int
    }

    private static func cost(_ isSource: [Bool], _ edges: [Edge]) -> Int {
        edges.reduce(0) { $0 + (isSource[$1.from] && !isSource[$1.to] ? $1.capacity : 0) }
    }

    /// Against all ways to part small random graphs: the least cost, and of those the fewest vertices on the source's side.
    @Test(arguments: UInt64(0)..<60)
    func cutsAreTheLeast(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let inner = 1 + Int(random.uniform() * 8)
        let count = inner + 2
        let edges = (0..<Int(1 + random.uniform() * 30)).map { _ in
            Edge(
                from: Int(random.uniform() * Double(count)),
                to: Int(random.uniform() * Double(count)),
                capacity: Int(random.uniform() * 10))
        }
        var cut = MinimumCut()
        for _ in 0..<inner { _ = cut.addVertex() }
        for edge in edges { cut.addEdge(from: edge.from, to: edge.to, capacity: edge.capacity) }
        let found = cut.sourceSide()
        #expect(found.count == count && found[MinimumCut.source] && !found[MinimumCut.sink])
        var best = (cost: Int.max, size: Int.max)
        for pattern in 0..<(1 << inner) {
            let isSource = [true, false] + (0..<inner).map { pattern >> $0 & 1 == 1 }
            let own = (cost: Self.cost(isSource, edges), size: isSource.count { $0 })
            if own < best { best = own }
        }
        #expect(Self.cost(found, edges) == best.cost, "seed \(seed)")
        #expect(found.count { $0 } == best.size, "seed \(seed)")
    }

    /// Long chains do not exhaust the stack or the clock.
    @Test func chainsAreCutAtTheirThinnest() {
        var cut = MinimumCut()
        var last = MinimumCut.source
        for position in 0..<200_000 {
            let next = cut.addVertex()
            cut.addEdge(from: last, to: next, capacity: position == 120_000 ? 3 : 5)
            last = next
        }
        cut.addEdge(from: last, to: MinimumCut.sink, capacity: 5)
        #expect(cut.sourceSide().count { $0 } == 120_001)
    }
}
