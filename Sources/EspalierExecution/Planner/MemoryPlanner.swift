/// Places intervals of use in one arena so that those which overlap in time do not overlap in memory.
///
/// Greedy by size (Pisarchyk & Lee 2020): the largest first, each at the lowest offset that is free for its
/// whole lifetime.
package struct MemoryPlanner {
    package struct Request {
        package var byteCount: Int
        /// Steps from the first to the last that touch it, both included.
        package var lifetime: ClosedRange<Int>

        package init(byteCount: Int, lifetime: ClosedRange<Int>) {
            self.byteCount = byteCount
            self.lifetime = lifetime
        }
    }

    private static let alignment = 64

    /// What a request takes. Where two large ones begin a multiple of 4 KB apart, as they would often do, what is read from one and
    /// written to the other competes for the same places in the first-level cache: so they end off that grid.
    private static func size(_ request: Request) -> Int {
        let lines = (request.byteCount + alignment - 1) / alignment * alignment
        guard lines >= staggered else { return lines }
        return (lines + stagger.grid - 1) / stagger.grid * stagger.grid + stagger.offset
    }

    private static let staggered = 4096
    private static let stagger = (grid: 1024, offset: 320)

    /// The offset of each request, and the size of the arena.
    package static func place(_ requests: [Request]) -> (offsets: [Int], byteCount: Int) {
        var offsets = [Int](repeating: 0, count: requests.count)
        var placed: [(offset: Int, end: Int, lifetime: ClosedRange<Int>)] = []
        var total = 0
        // Ties in order of request, so that plans are reproducible.
        let order = requests.indices.sorted {
            (requests[$0].byteCount, $1) > (requests[$1].byteCount, $0)
        }
        for index in order {
            let request = requests[index]
            let size = size(request)
            var offset = 0
            for other in placed where other.lifetime.overlaps(request.lifetime) {
                if offset + size <= other.offset { break }
                offset = max(offset, other.end)
            }
            offsets[index] = offset
            let entry = (offset: offset, end: offset + size, lifetime: request.lifetime)
            let position = placed.firstIndex { $0.offset > offset } ?? placed.count
            placed.insert(entry, at: position)
            total = max(total, offset + size)
        }
        return (offsets, total)
    }
}
