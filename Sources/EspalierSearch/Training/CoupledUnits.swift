package import EspalierExecution
package import EspalierGraphs
import EspalierOperators
package import EspalierPruning
import EspalierTensors

/// A group of channels in training: which of the flat parameters each of its units is made of.
package struct CoupledUnits {
    package let group: PruningGroup
    /// Units that stay whatever a penalty says.
    package let minimum: Int
    /// By unit, all that must be zero for the unit to do nothing, and all that it would still cost something by: the weights
    /// that make the channel and its bias, and those that read it.
    ///
    /// The weights before a batch norm are left out: their size has no effect, so that a penalty on it would only shrink them.
    /// There gamma and beta stand for them.
    package let slices: [[WeightSlice]]
    /// By unit, what multiplies the channel's value if all of it is multiplied with one number: ``slices`` without the weights
    /// that read it. Where the channel goes through a depthwise convolution it is multiplied once before and once there, so
    /// that no bias is left of it.
    package let gates: [[WeightSlice]]

    package init(_ group: PruningGroup, minimum: Int, graph: Graph, store: ParameterStore) {
        self.group = group
        self.minimum = minimum
        let entries = Dictionary(uniqueKeysWithValues: store.trainable.map { ($0.value, $0) })
        let normalized = Self.normalizedNodes(group, graph)
        let members = group.members.filter { member in
            entries[member.axis.value] != nil && member.role != nil
                && (member.role == .consumer || !member.readers.allSatisfy(normalized.contains))
        }
        func slices(_ members: [GroupMember]) -> [[WeightSlice]] {
            let cross = Set(members.map(\.axis.value)).count < members.count
            return (0..<group.size).map { unit in
                let slices = members.flatMap { member -> [WeightSlice] in
                    guard let entry = entries[member.axis.value] else { return [] }
                    return Self.ranges(member.indices(ofUnit: unit)).map {
                        WeightSlice(
                            axis: member.axis.axis, positions: $0, shape: entry.shape.extents,
                            base: entry.offset)
                    }
                }
                return cross ? Self.disjoint(slices) : slices
            }
        }
        self.slices = slices(members)
        gates = slices(members.filter { $0.role != .consumer })
    }

    /// The nodes whose output goes straight to a batch norm over the group's channels, and nowhere else.
    private static func normalizedNodes(_ group: PruningGroup, _ graph: Graph) -> Set<NodeID> {
        let norms = Set(group.members.filter { $0.role == .scale }.flatMap(\.readers))
        guard !norms.isEmpty else { return [] }
        var readers: [ValueID: Set<NodeID>] = [:]
        for node in graph.nodes {
            for value in node.dependencies { readers[value, default: []].insert(node.id) }
        }
        let producers = Set(group.members.filter { $0.role == .producer }.flatMap(\.readers))
        return Set(
            graph.nodes.filter { node in
                producers.contains(node.id) && !norms.contains(node.id)
                    && node.outputs.allSatisfy { output in
                        guard let output else { return true }
                        guard let found = readers[output], !graph.outputs.contains(output) else {
                            return false
                        }
                        return found.isSubset(of: norms)
                    }
            }.map(\.id))
    }

    /// The same elements, each once: slices of one parameter along two of its axes cross, as where a square weight is used
    /// twice.
    private static func disjoint(_ slices: [WeightSlice]) -> [WeightSlice] {
        ranges(Set(slices.flatMap(\.positions)).sorted()).map { WeightSlice($0) }
    }

    /// Runs of consecutive indices.
    private static func ranges(_ indices: some Collection<Int>) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for index in indices {
            if let last = ranges.last, last.upperBound == index {
                ranges[ranges.count - 1] = last.lowerBound..<index + 1
            } else {
                ranges.append(index..<index + 1)
            }
        }
        return ranges
    }
}
