/// Disjoint sets of the integers 0..<count, merged by size with path halving (Tarjan & van Leeuwen 1984).
///
/// A set can be frozen, with a reason; when sets merge, the reason of the smaller number survives.
struct DisjointSets {
    private var parents: [Int32]
    private var sizes: [Int32]
    private var reasons: [Int32]

    /// - Precondition: `count` is at most `Int32.max`.
    init(count: Int) {
        parents = Array(0..<Int32(count))
        sizes = [Int32](repeating: 1, count: count)
        reasons = [Int32](repeating: .max, count: count)
    }

    var count: Int { parents.count }

    /// The number that stands for the set of `element`.
    mutating func root(of element: Int) -> Int {
        var current = element
        while Int(parents[current]) != current {
            parents[current] = parents[Int(parents[current])]
            current = Int(parents[current])
        }
        return current
    }

    mutating func merge(_ first: Int, _ second: Int) {
        var large = root(of: first)
        var small = root(of: second)
        guard large != small else { return }
        if sizes[large] < sizes[small] { swap(&large, &small) }
        parents[small] = Int32(large)
        sizes[large] += sizes[small]
        reasons[large] = min(reasons[large], reasons[small])
    }

    mutating func freeze(_ element: Int, reason: Int) {
        let root = root(of: element)
        reasons[root] = min(reasons[root], Int32(reason))
    }

    /// The number of the reason for which the set of `element` is frozen; nil if it is not.
    mutating func frozenReason(of element: Int) -> Int? {
        let reason = reasons[root(of: element)]
        return reason == .max ? nil : Int(reason)
    }
}
