package import EspalierGraphs
package import EspalierOperators
import EspalierTensors

/// Where a network's channels can be watched: found by axis links, so that it holds for every architecture.
package struct ActivationSites: Sendable {
    /// A value with channels of open pruning groups along one of its axes.
    package struct Site: Sendable {
        package let value: ValueID
        package let axis: Int
        /// For each index of the axis a number that all indices of one unit share.
        package let units: [Int]
    }

    /// What nonlinearities read: the z of a = phi(z).
    package private(set) var inputs: [Site] = []
    /// What nonlinearities make of it.
    package private(set) var outputs: [Site] = []
    /// Values of groups without any nonlinearity, as their consumers read them.
    package private(set) var linear: [Site] = []
    /// What the nodes read at which a group's channels end: all that others learn of the channels.
    package private(set) var endings: [Site] = []
    /// The same by node and port.
    package private(set) var endingPorts: [EndingPort] = []

    /// Where channels end: on that axis of what a node reads at that port, and on no axis of what it makes.
    package struct EndingPort: Sendable {
        package let node: NodeID
        package let port: Int
        package let axis: ValueAxis
    }

    private let resolved: ResolvedGraph
    private var groupsByAxis: [ValueAxis: [PruningGroup]] = [:]

    package init(_ resolved: ResolvedGraph, _ groups: PruningGroups) {
        self.resolved = resolved
        for group in groups.open {
            for member in group.activations { groupsByAxis[member.axis, default: []].append(group) }
        }
        let probe = PointwiseProbe(resolved)
        var gated: Set<PruningGroup.ID> = []
        var (read, made, ended) = (Set<ValueAxis>(), Set<ValueAxis>(), Set<ValueAxis>())
        for node in resolved.graph.nodes {
            for ending in self.endings(at: node) {
                endingPorts.append(ending)
                if ended.insert(ending.axis).inserted { endings.append(site(ending.axis)) }
            }
            guard let (input, output) = probe.nonlinearity(node) else { continue }
            for axis in axes(of: input) {
                let result = ValueAxis(output, axis: axis.axis)
                // Both ends, or the channels are not the same.
                guard let groups = groupsByAxis[axis], groupsByAxis[result] != nil else { continue }
                if read.insert(axis).inserted { inputs.append(site(axis)) }
                if made.insert(result).inserted { outputs.append(site(result)) }
                gated.formUnion(groups.map(\.id))
            }
        }
        linear = endings.filter { ending in
            let axis = ValueAxis(ending.value, axis: ending.axis)
            return !(groupsByAxis[axis] ?? []).allSatisfy { gated.contains($0.id) }
        }
    }

    /// The axes of a value that channels lie on, ascending.
    private func axes(of value: ValueID) -> [ValueAxis] {
        (0..<(resolved.facts[value]?.shape.rank ?? 0)).map { ValueAxis(value, axis: $0) }
            .filter { groupsByAxis[$0] != nil }
    }

    /// Axes of what a node reads whose channels are on no axis of what it makes.
    private func endings(at node: Node) -> [EndingPort] {
        let continued = Set(
            node.outputs.compactMap { $0 }.flatMap { axes(of: $0) }
                .flatMap { groupsByAxis[$0] ?? [] }.map(\.id))
        return node.inputs.enumerated().flatMap { port, value in
            (value.map { axes(of: $0) } ?? []).filter { axis in
                switch fate(of: .input(port, axis: axis.axis), at: node) {
                case .measured: false
                case .ended: true
                case .passedOn: !(groupsByAxis[axis] ?? []).allSatisfy { continued.contains($0.id) }
                }
            }.map { EndingPort(node: node.id, port: port, axis: $0) }
        }
    }

    /// What becomes of an axis that a node reads.
    private enum Fate {
        /// It lies on what the node makes.
        case passedOn
        /// It does not, though what the node makes may hold the same group: a convolution between two ends of a sum.
        case ended
        /// Only its extent is read, nothing of the values.
        case measured
    }

    private func fate(of axis: PortAxis, at node: Node) -> Fate {
        guard let operation = resolved.operators[node.id] as? any AxisLinking,
            let signature = resolved.signatures[node.id]
        else { return .passedOn }
        let said = operation.axisLinks(signature)
        if said.measured.contains(axis) { return .measured }
        var reached: Set<PortAxis> = [axis]
        var open = [axis]
        while let next = open.popLast() {
            if case .output = next.port { return .passedOn }
            for link in said.links {
                guard let other = link.from == next ? link.to : link.to == next ? link.from : nil else {
                    continue
                }
                if reached.insert(other).inserted { open.append(other) }
            }
        }
        return .ended
    }

    private func site(_ axis: ValueAxis) -> Site {
        let extent = resolved.facts[axis.value]?.shape[axis.axis] ?? 0
        var units = [Int](repeating: -1, count: extent)
        var next = 0
        for group in groupsByAxis[axis] ?? [] {
            for member in group.activations where member.axis == axis {
                for unit in 0..<group.size {
                    for index in member.indices(ofUnit: unit) { units[index] = next }
                    next += 1
                }
            }
        }
        // Indices of frozen channels stand alone.
        for index in units.indices where units[index] < 0 {
            units[index] = next
            next += 1
        }
        return Site(value: axis.value, axis: axis.axis, units: units)
    }
}
