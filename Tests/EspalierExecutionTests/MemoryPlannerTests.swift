import EspalierExecution
import EspalierTensors
import Testing

struct MemoryPlannerTests {
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func simultaneousBuffersNeverOverlap(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let requests = (0..<60).map { _ in
            let start = Int.random(in: 0..<40, using: &random)
            return MemoryPlanner.Request(
                byteCount: Int.random(in: 0..<5000, using: &random),
                lifetime: start...(start + Int.random(in: 0..<8, using: &random)))
        }
        let (offsets, total) = MemoryPlanner.place(requests)
        for left in requests.indices {
            #expect(offsets[left] % 64 == 0)
            #expect(offsets[left] + requests[left].byteCount <= total)
            for right in requests.indices where right > left {
                guard requests[left].lifetime.overlaps(requests[right].lifetime) else { continue }
                let disjoint =
                    offsets[left] + requests[left].byteCount <= offsets[right]
                    || offsets[right] + requests[right].byteCount <= offsets[left]
                #expect(disjoint, "requests \(left) and \(right) share memory, seed \(seed)")
            }
        }
    }

    @Test func memoryIsReusedOverTime() {
        // A chain of ten equal values, of which two live at a time, fits in two.
        let requests = (0..<10).map { MemoryPlanner.Request(byteCount: 640, lifetime: $0...($0 + 1)) }
        #expect(MemoryPlanner.place(requests).byteCount == 1280)
    }
}
