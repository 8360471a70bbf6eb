package import EspalierGraphs
import EspalierOperators
package import EspalierTensors

/// One use of a weight that is multiplied with activations: what people call a layer.
package struct WeightedLayer: Sendable {
    package let node: NodeID
    /// The node's name or, where the file gives none, its weight's.
    package let name: String
    package let weight: ValueID
    package let weightName: String
    package let shape: Shape
    /// The axis of the weight along which output channels lie; nil if nothing is known about it.
    package let producerAxis: Int?
    /// The axis of the weight along which its input channels lie (of each of its groups, if it has several); nil if
    /// nothing is known about it.
    package let consumerAxis: Int?
    /// No other weighted layer stands before it on any path.
    package let isFirst: Bool
    /// No other weighted layer stands behind it on any path.
    package let isLast: Bool
    /// Why the weight cannot be pruned at all: an operator that is not understood reads it.
    package let refused: FrozenReason?

    /// Whether single elements of the weight may be set to zero.
    package var isPrunable: Bool { refused == nil }

    static func layers(of resolved: ResolvedGraph, roles: [ValueAxis: SliceRole]) -> [WeightedLayer] {
        let graph = resolved.graph
        let uses = graph.nodes.map { weightedUses(of: $0, resolved, roles: roles) }
        let before = depths(of: graph.nodes, uses: uses, isForward: true)
        let after = depths(of: graph.nodes, uses: uses, isForward: false)
        return zip(graph.nodes.indices, uses).flatMap { position, uses in
            let node = graph.nodes[position]
            return uses.map { use in
                let weightName = graph.name(of: use.weight)
                return WeightedLayer(
                    node: node.id, name: node.name.isEmpty ? weightName : node.name, weight: use.weight,
                    weightName: weightName, shape: graph.constants[use.weight]?.shape ?? [],
                    producerAxis: use.producerAxis, consumerAxis: use.consumerAxis,
                    isFirst: before[position] == 0, isLast: after[position] == 0, refused: use.refused)
            }
        }
    }

    private struct Use {
        let weight: ValueID
        let producerAxis: Int?
        let consumerAxis: Int?
        let refused: FrozenReason?
    }

    /// The weights a node multiplies with; for a node of which nothing is known, its constants with several
    /// axes.
    private static func weightedUses(
        of node: Node, _ resolved: ResolvedGraph, roles: [ValueAxis: SliceRole]
    ) -> [Use] {
        let graph = resolved.graph
        var seen: Set<ValueID> = []
        let weights = node.dependencies.filter { value in
            guard let tensor = graph.constants[value], tensor.dtype.isFloatingPoint else { return false }
            return tensor.shape.rank >= 2 && tensor.count > 0 && seen.insert(value).inserted
        }
        guard let operation = resolved.operators[node.id] as? any AxisLinking,
            let signature = resolved.signatures[node.id]
        else {
            let reason: FrozenReason
            if let problem = resolved.opaque[node.id] {
                reason = FrozenReason(.opaqueNode, "node '\(node.label)' is not understood (\(problem))")
            } else {
                reason = FrozenReason(
                    .noAxisLinks,
                    "node '\(node.label)' (\(node.operatorName)) does not say what its weights do")
            }
            return weights.map { Use(weight: $0, producerAxis: nil, consumerAxis: nil, refused: reason) }
        }
        // The node's own view: another node may use the same constant otherwise.
        let said = operation.axisLinks(signature).roles
        return weights.compactMap { value in
            let own = said.filter { portAxis, role in
                guard case .input(let port) = portAxis.port, role.isWeight else { return false }
                return node.inputs.indices.contains(port) && node.inputs[port] == value
            }
            guard !own.isEmpty else { return nil }
            func axis(_ role: SliceRole) -> Int? { own.filter { $0.value == role }.map(\.key.axis).min() }
            return Use(
                weight: value, producerAxis: axis(.producer), consumerAxis: axis(.consumer), refused: nil)
        }
    }

    /// For each node the largest number of weighted nodes on a path to it from the inputs (or, backward, from
    /// it to the outputs), itself not counted.
    private static func depths(of nodes: [Node], uses: [[Use]], isForward: Bool) -> [Int] {
        var depthOfValue: [ValueID: Int] = [:]
        var depths = [Int](repeating: 0, count: nodes.count)
        for position in isForward ? Array(nodes.indices) : nodes.indices.reversed() {
            let produced = nodes[position].outputs.compactMap { $0 }
            let (near, far) =
                isForward
                ? (nodes[position].dependencies, produced) : (produced, nodes[position].dependencies)
            depths[position] = near.map { depthOfValue[$0] ?? 0 }.max() ?? 0
            let depth = depths[position] + (uses[position].isEmpty ? 0 : 1)
            for value in far { depthOfValue[value] = max(depthOfValue[value] ?? 0, depth) }
        }
        return depths
    }
}
