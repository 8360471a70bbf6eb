import EspalierGraphs
import EspalierOperators

/// The cost of a network by how much is gone of each of its parts, in levels.
///
/// A search asks for many millions of combinations. What a node costs depends on the few parts that touch it, so it is
/// computed once for each combination of those, and is as true as the ``CostModel``'s: products of widths and all.
final class CostTable {
    private struct Entry {
        let parts: [Int]
        /// By part, how far apart in the table neighbouring levels are.
        let strides: [Int]
        let cost: ([Int]) -> Double
        /// Not a number where it was not asked for.
        var known: [Double]
    }

    /// By part, how many units or elements are gone at each level.
    private let counts: [[Int]]
    private var entries: [Entry] = []
    /// What no part has a say in.
    private var rest = 0.0

    /// Of cutting channels. Of a group's units the first so many are taken: which ones decides on the cost only where
    /// units have unequal numbers of slices.
    ///
    /// - Parameter counts: by part, how many units are gone at each level.
    init(_ model: CostModel, groups: [PruningGroup], counts: [[Int]], in resolved: ResolvedGraph) {
        self.counts = counts
        var partsByValue: [ValueID: Set<Int>] = [:]
        for (part, group) in groups.enumerated() {
            for member in group.members + group.activations {
                partsByValue[member.axis.value, default: []].insert(part)
            }
        }
        for addend in model.addends {
            add(touchedBy: addend.values.flatMap { partsByValue[$0] ?? [] }) { parts, counts in
                addend.cut(
                    GraphCut(
                        dropping: zip(parts, counts).map { (groups[$0], Array(0..<$1)) }, in: resolved,
                        where: addend.values.contains))
            }
        }
    }

    /// Of zeros in weights.
    ///
    /// - Parameters:
    ///   - counts: by part, how many elements are gone at each level.
    ///   - nonzeros: of the weights that are no part.
    init(
        _ model: CostModel, weights: [(id: ValueID, size: Int, zeros: Int)], counts: [[Int]],
        others nonzeros: [ValueID: Int]
    ) {
        self.counts = counts
        let positions = Dictionary(uniqueKeysWithValues: weights.enumerated().map { ($1.id, $0) })
        for addend in model.addends {
            let others = nonzeros.filter { addend.values.contains($0.key) }
            add(touchedBy: addend.values.compactMap { positions[$0] }) { parts, counts in
                var present = others
                for (part, count) in zip(parts, counts) {
                    // What is zero already goes first.
                    present[weights[part].id] = weights[part].size - max(count, weights[part].zeros)
                }
                return addend.sparse(present)
            }
        }
    }

    private func add(touchedBy parts: [Int], _ cost: @escaping ([Int], [Int]) -> Double) {
        let parts = Set(parts).sorted()
        guard !parts.isEmpty else {
            rest += cost([], [])
            return
        }
        var strides: [Int] = []
        var size = 1
        for part in parts {
            strides.append(size)
            size = min(size * counts[part].count, Self.mostKnown + 1)
        }
        entries.append(
            Entry(
                parts: parts, strides: strides, cost: { cost(parts, $0) },
                known: size > Self.mostKnown ? [] : [Double](repeating: .nan, count: size)))
    }

    /// Of one node; what more parts touch together is computed each time.
    private static let mostKnown = 1 << 20

    /// The cost with each part at a level.
    func cost(at levels: [Int]) -> Double {
        var total = rest
        for position in entries.indices {
            var place = 0
            for (part, stride) in zip(entries[position].parts, entries[position].strides) {
                place += levels[part] * stride
            }
            let isKept = place < entries[position].known.count
            if isKept, !entries[position].known[place].isNaN {
                total += entries[position].known[place]
            } else {
                let cost = entries[position].cost(entries[position].parts.map { counts[$0][levels[$0]] })
                if isKept { entries[position].known[place] = cost }
                total += cost
            }
        }
        return total
    }
}
