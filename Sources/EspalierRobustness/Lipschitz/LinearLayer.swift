package import EspalierGraphs
package import EspalierOperators
import EspalierTensors

/// A linear map of a network: of one node or, where a scale per channel (batch norm) follows a product and nothing else
/// reads what lies between, of both as one, whose norm is at most the product of theirs.
package struct LinearLayer: Sendable {
    /// One or two.
    package let nodes: [NodeID]
    /// The nodes' labels, for messages and reports.
    package let name: String
    /// The value that it maps, and what comes out.
    package let input: ValueID
    package let output: ValueID
    package let map: LinearMap
}

/// What of a network depends on its inputs.
package struct Dependence: Sendable {
    /// Values that can change with the inputs and are not known from shapes alone.
    package let varying: Set<ValueID>

    package init(_ resolved: ResolvedGraph) {
        var varying = Set(resolved.graph.inputs)
        for node in resolved.graph.nodes where !varying.isDisjoint(with: node.dependencies) {
            for case let output? in node.outputs where resolved.facts[output]?.constant == nil {
                varying.insert(output)
            }
        }
        self.varying = varying
    }

    /// The ports at which a node reads such a value.
    package func ports(_ node: Node) -> Set<Int> {
        Set(node.inputs.indices.filter { port in node.inputs[port].map { varying.contains($0) } ?? false })
    }
}

extension ResolvedGraph {
    /// The linear maps of the network that its outputs depend on, in its order.
    ///
    /// - Throws: ``RobustnessError/notFinite(node:)``.
    package func linearLayers() throws(RobustnessError) -> [LinearLayer] {
        let dependence = Dependence(self)
        let consumers = graph.consumers
        let nodes = Dictionary(uniqueKeysWithValues: graph.nodes.map { ($0.id, $0) })
        var layers: [LinearLayer] = []
        var folded: Set<NodeID> = []
        for node in graph.nodes where !folded.contains(node.id) {
            let ports = dependence.ports(node)
            guard let operation = operators[node.id] as? any AffineMapping, ports.count == 1,
                let port = ports.first, let signature = signatures[node.id], let input = node.inputs[port],
                let output = node.outputs.first ?? nil,
                // Whole numbers are rounded, which is not linear.
                signature.outputs.first?.dtype.isFloatingPoint == true
            else { continue }
            var layer: LinearLayer?
            if !graph.outputs.contains(output), let readers = consumers[output], readers.count == 1,
                let next = nodes[readers[0]], dependence.ports(next) == [0], next.inputs[0] == output,
                let affine = operators[next.id] as? any ChannelAffine,
                let nextSignature = signatures[next.id],
                let scale = affine.channelAffine(nextSignature)?.scale,
                let end = next.outputs.first ?? nil,
                let map = try? operation.linearMap(of: port, scalingChannels: scale, signature)
            {
                folded.insert(next.id)
                layer = LinearLayer(
                    nodes: [node.id, next.id], name: "\(node.label) + \(next.label)", input: input,
                    output: end,
                    map: map)
            } else if let map = try? operation.linearMap(of: port, scalingChannels: nil, signature) {
                layer = LinearLayer(
                    nodes: [node.id], name: node.label, input: input, output: output, map: map)
            }
            guard let layer else { continue }
            guard layer.map.isFinite else { throw .notFinite(node: layer.name) }
            layers.append(layer)
        }
        return layers
    }
}

extension Graph {
    /// The nodes that some values depend on.
    func nodes(behind values: [ValueID]) -> Set<NodeID> {
        var values = Set(values)
        var result: Set<NodeID> = []
        for node in nodes.reversed()
        where node.outputs.contains(where: { $0.map { values.contains($0) } ?? false }) {
            result.insert(node.id)
            values.formUnion(node.dependencies)
        }
        return result
    }
}
