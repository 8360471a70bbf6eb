import EspalierGraphs
import EspalierOperators

/// The cost of a network by how much is gone of each of its parts.
///
/// A search asks for many thousands of combinations. What a node costs depends on the few parts that touch it, so it is
/// computed once for each combination of those, and is as true as the ``CostModel``'s: products of widths and all.
final class CostTable {
    private struct Entry {
        let parts: [Int]
        let cost: ([Int]) -> Double
        var known: [[Int]: Double] = [:]
    }

    private var entries: [Entry] = []
    /// What no part has a say in.
    private var rest = 0.0

    /// Of cutting channels. Of a group's units the first so many are taken: which ones decides on the cost only where
    /// units have unequal numbers of slices.
    init(_ model: CostModel, groups: [PruningGroup], in resolved: ResolvedGraph) {
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
    /// - Parameter nonzeros: of the weights that are no part.
    init(_ model: CostModel, weights: [(id: ValueID, size: Int, zeros: Int)], others nonzeros: [ValueID: Int])
    {
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
        if parts.isEmpty {
            rest += cost([], [])
        } else {
            entries.append(Entry(parts: parts, cost: { cost(parts, $0) }))
        }
    }

    /// The cost with so many units or elements of each part gone.
    func cost(removing counts: [Int]) -> Double {
        var total = rest
        for position in entries.indices {
            let key = entries[position].parts.map { counts[$0] }
            if let known = entries[position].known[key] {
                total += known
            } else {
                let cost = entries[position].cost(key)
                entries[position].known[key] = cost
                total += cost
            }
        }
        return total
    }
}
