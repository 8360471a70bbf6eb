/// Parts a directed graph in two at the least cost: Dinic's algorithm for the greatest flow (1970), which equals the least cut
/// (Ford & Fulkerson 1956).
package struct MinimumCut {
    /// The two sides.
    package static let source = 0
    package static let sink = 1
    /// No cut goes through an edge of this capacity, if there is another.
    package static let unlimited = 1 << 50

    private struct Edge {
        let target: Int
        /// What can still flow.
        var capacity: Int
        /// The position of its counterpart, which takes back what flows.
        let opposite: Int
    }

    package init() {}

    private var edges: [Edge] = []
    private var leaving: [[Int]] = [[], []]

    package mutating func addVertex() -> Int {
        leaving.append([])
        return leaving.count - 1
    }

    /// Costs `capacity` if `from` is on the source's side and `to` on the sink's.
    package mutating func addEdge(from: Int, to: Int, capacity: Int) {
        guard from != to, capacity > 0 else { return }
        leaving[from].append(edges.count)
        edges.append(Edge(target: to, capacity: min(capacity, Self.unlimited), opposite: edges.count + 1))
        leaving[to].append(edges.count)
        edges.append(Edge(target: from, capacity: 0, opposite: edges.count - 1))
    }

    /// Whether each vertex is on the source's side: of all least cuts the one with the fewest there.
    package func sourceSide() -> [Bool] {
        var flow = self
        while true {
            let levels = flow.levels()
            guard levels[Self.sink] != nil else { return levels.map { $0 != nil } }
            var next = [Int](repeating: 0, count: leaving.count)
            while flow.push(levels, &next) {}
        }
    }

    /// Steps from the source by edges through which more can flow.
    private func levels() -> [Int?] {
        var levels = [Int?](repeating: nil, count: leaving.count)
        levels[Self.source] = 0
        var reached = [Self.source]
        var position = 0
        while position < reached.count {
            let vertex = reached[position]
            position += 1
            for edge in leaving[vertex] where edges[edge].capacity > 0 && levels[edges[edge].target] == nil {
                levels[edges[edge].target] = (levels[vertex] ?? 0) + 1
                reached.append(edges[edge].target)
            }
        }
        return levels
    }

    /// Sends what it can along one path to the sink, level by level.
    ///
    /// - Parameter next: of each vertex, the edges before which lead nowhere.
    /// - Returns: whether anything went.
    private mutating func push(_ levels: [Int?], _ next: inout [Int]) -> Bool {
        // A path is as long as the network is deep: too long for the stack of a thread.
        var path: [Int] = []
        var vertex = Self.source
        while vertex != Self.sink {
            guard next[vertex] < leaving[vertex].count else {
                guard let edge = path.popLast() else { return false }
                vertex = edges[edges[edge].opposite].target
                next[vertex] += 1
                continue
            }
            let edge = leaving[vertex][next[vertex]]
            let target = edges[edge].target
            if edges[edge].capacity > 0, levels[target] == (levels[vertex] ?? 0) + 1 {
                path.append(edge)
                vertex = target
            } else {
                next[vertex] += 1
            }
        }
        let sent = path.reduce(Int.max) { min($0, edges[$1].capacity) }
        for edge in path {
            edges[edge].capacity -= sent
            edges[edges[edge].opposite].capacity += sent
        }
        return true
    }
}
