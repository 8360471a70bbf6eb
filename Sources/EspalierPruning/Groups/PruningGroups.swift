import EspalierGraphs
package import EspalierOperators

/// All groups of coupled channels of a network, frozen ones included, and its layers.
package struct PruningGroups: Sendable {
    /// In the order of the graph. Only groups with a slice of a multiplied weight.
    package let all: [PruningGroup]
    package let layers: [WeightedLayer]
    /// Axes whose extents some node of the network tells.
    let measured: Set<ValueAxis>
    private let positions: [PruningGroup.ID: Int]
    /// For each axis of each constant, the groups whose units lie on it.
    private let groupsByAxis: [ValueAxis: [Int]]

    /// Finds the groups: the closure of the operators' axis links, in time almost linear in the number of
    /// channel indices.
    package init(_ resolved: ResolvedGraph) {
        let closure = AxisClosure(resolved)
        var assembly = GroupAssembly(closure)
        all = assembly.groups()
        measured = closure.measured
        layers = WeightedLayer.layers(of: resolved, roles: closure.roles)
        positions = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1.id, $0) })
        var groupsByAxis: [ValueAxis: [Int]] = [:]
        for (position, group) in all.enumerated() {
            for member in group.members { groupsByAxis[member.axis, default: []].append(position) }
        }
        self.groupsByAxis = groupsByAxis
    }

    package subscript(id: PruningGroup.ID) -> PruningGroup? {
        positions[id].map { all[$0] }
    }

    /// The groups that some of the indices of a constant's axis belong to, in order.
    package func groups(on axis: ValueAxis) -> [PruningGroup] {
        (groupsByAxis[axis] ?? []).map { all[$0] }
    }

    /// The groups that may be cut.
    package var open: [PruningGroup] { all.filter { $0.frozen == nil } }
}
