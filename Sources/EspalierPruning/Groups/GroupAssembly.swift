import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Turns the sets of an axis closure into named groups of units.
struct GroupAssembly {
    private var closure: AxisClosure
    private let graph: Graph
    private let nodePositions: [NodeID: Int]
    private let readers: [ValueID: [NodeID]]

    init(_ closure: AxisClosure) {
        self.closure = closure
        graph = closure.resolved.graph
        nodePositions = graph.nodePositions
        readers = graph.consumers
    }

    /// Some indices on the axis with the given number in the closure's table.
    private struct Run {
        let axis: Int
        var indices: [Int32]
    }

    /// Units belong to one group if they lie on the same axes and are open or frozen alike.
    private struct Key: Hashable {
        let axes: [Int]
        let reason: Int?
    }

    mutating func groups() -> [PruningGroup] {
        var keys: [Key] = []
        var unitsByKey: [Key: [[Run]]] = [:]
        for runs in components() {
            guard let first = runs.first, let base = closure.table.firstEntry[first.axis] else { continue }
            let reason = closure.sets.frozenReason(of: base + Int(first.indices[0]))
            let key = Key(axes: runs.map(\.axis), reason: reason)
            if unitsByKey[key] == nil { keys.append(key) }
            unitsByKey[key, default: []].append(runs)
        }
        var drafts = keys.compactMap { key in unitsByKey[key].map { draft(key, units: $0) } }
        drafts.sort { $0.order.lexicographicallyPrecedes($1.order) }
        var used: [String: Int] = [:]
        return drafts.map { draft in
            var id = draft.name
            let earlier = used[draft.name, default: 0]
            used[draft.name] = earlier + 1
            // A parameter may itself be called so; then go on counting.
            if earlier > 0 {
                var number = earlier + 1
                while used["\(draft.name)/\(number)"] != nil { number += 1 }
                id = "\(draft.name)/\(number)"
                used[id] = 1
            }
            return PruningGroup(
                id: id, size: draft.size, members: draft.members, activations: draft.activations,
                frozen: draft.frozen)
        }
    }

    // MARK: - Components

    /// The sets which hold a slice of a multiplied weight, each as runs of indices by ascending axis number.
    private mutating func components() -> [[Run]] {
        let table = closure.table
        var componentOfRoot: [Int: Int] = [:]
        for (axis, role) in closure.roles.sorted(by: { $0.key < $1.key }) where role.isWeight {
            guard graph.constants[axis.value]?.dtype.isFloatingPoint == true,
                let number = table.axis(axis.axis, of: axis.value), let base = table.firstEntry[number]
            else { continue }
            for index in 0..<table.extents[number] {
                let root = closure.sets.root(of: base + index)
                if componentOfRoot[root] == nil { componentOfRoot[root] = componentOfRoot.count }
            }
        }
        var components = [[Run]](repeating: [], count: componentOfRoot.count)
        for axis in table.axes.indices {
            guard let base = table.firstEntry[axis] else { continue }
            for index in 0..<table.extents[axis] {
                guard let component = componentOfRoot[closure.sets.root(of: base + index)] else { continue }
                let last = components[component].count - 1
                if last >= 0, components[component][last].axis == axis {
                    components[component][last].indices.append(Int32(index))
                } else {
                    components[component].append(Run(axis: axis, indices: [Int32(index)]))
                }
            }
        }
        return components
    }

    // MARK: - Groups

    private struct Draft {
        let name: String
        let order: [Int]
        let size: Int
        let members: [GroupMember]
        let activations: [GroupMember]
        let frozen: FrozenReason?
    }

    /// Producers first, then consumers, then the rest; within each in the order of the nodes that read them.
    private func rank(of axis: ValueAxis) -> [Int] {
        let role = closure.roles[axis]
        let order = role == .producer ? 0 : role == .consumer ? 1 : 2
        let position = readers[axis.value]?.first.flatMap { nodePositions[$0] } ?? graph.nodes.count
        return [order, position, axis.value.index, axis.axis]
    }

    private func draft(_ key: Key, units: [[Run]]) -> Draft {
        let axes = key.axes.map { closure.table.axes[$0] }
        let constants = axes.indices.filter { graph.constants[axes[$0].value] != nil }
            .map { (place: $0, rank: rank(of: axes[$0])) }
            .sorted { $0.rank.lexicographicallyPrecedes($1.rank) }
        let others = axes.indices.filter { graph.constants[axes[$0].value] == nil }
        // Units are counted as they lie on the first parameter.
        let primary = constants.first?.place ?? 0
        let sorted = units.sorted { $0[primary].indices[0] < $1[primary].indices[0] }
        func member(_ place: Int, isConstant: Bool) -> GroupMember {
            let axis = axes[place]
            return GroupMember(
                axis: axis, name: graph.name(of: axis.value),
                role: isConstant ? closure.roles[axis] ?? .affine : nil, readers: readers[axis.value] ?? [],
                indices: sorted.map { $0[place].indices })
        }
        var name = graph.name(of: axes[primary].value)
        if let rank = constants.first?.rank, rank[0] != 0 { name += " (inputs)" }
        let firstIndex = Int(sorted[0][primary].indices[0])
        let order = constants.first.map { [$0.rank[1], $0.rank[0], $0.rank[2], firstIndex] } ?? []
        return Draft(
            name: name, order: order + [key.reason ?? -1], size: units.count,
            members: constants.map { member($0.place, isConstant: true) },
            activations: others.map { member($0, isConstant: false) },
            frozen: key.reason.map { closure.reasons[$0] })
    }
}
