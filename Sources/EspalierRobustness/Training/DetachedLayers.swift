import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Layers of a network side by side, each with an input of its own: a network in which they do not follow one another.
struct DetachedLayers {
    let graph: Graph
    /// By layer, the names of its input in ``graph``.
    let inputNames: [String]
    /// Constants of the whole network by those of ``graph``.
    let origins: [ValueID: ValueID]

    /// - Parameter layers: of `resolved`, which has the batch size that ``graph``'s inputs get.
    /// - Throws: ``GraphError``.
    init(_ layers: [LinearLayer], of resolved: ResolvedGraph) throws(GraphError) {
        let whole = resolved.graph
        var builder = GraphBuilder(name: "layers of \(whole.name)")
        builder.edit { $0.opsetVersions = whole.opsetVersions }
        var copies: [ValueID: ValueID] = [:]
        var outputs: [ValueID] = []
        var inputNames: [String] = []
        for (index, layer) in layers.enumerated() {
            let name = "input of layer \(index)"
            inputNames.append(name)
            // What lies within the layer; constants are shared by all.
            var own: [ValueID: ValueID] = [
                layer.input: builder.input(
                    name,
                    type: ValueType(dtype: .float32, shape: resolved.facts[layer.input]?.shape ?? []))
            ]
            for node in Self.nodes(of: layer, in: whole) {
                let inputs = node.inputs.map { input -> ValueID? in
                    guard let input else { return nil }
                    if let copy = own[input] ?? copies[input] { return copy }
                    guard let tensor = whole.constants[input] else { return nil }
                    let copy = builder.constant(whole.name(of: input), tensor)
                    copies[input] = copy
                    return copy
                }
                let made = node.outputs.map { output in
                    output.map { output -> ValueID in
                        let copy = builder.value(whole.name(of: output))
                        own[output] = copy
                        return copy
                    }
                }
                builder.add(
                    Node(
                        id: builder.nextNodeID, name: node.name, operatorName: node.operatorName,
                        inputs: inputs, outputs: made, attributes: node.attributes))
            }
            if let output = own[layer.output] { outputs.append(output) }
        }
        graph = try builder.finish(outputs: outputs)
        self.inputNames = inputNames
        origins = Dictionary(uniqueKeysWithValues: copies.map { ($0.value, $0.key) })
    }

    /// The constants, of the whole network, that a layer is made from.
    static func constants(of layer: LinearLayer, in graph: Graph) -> Set<ValueID> {
        Set(nodes(of: layer, in: graph).flatMap(\.dependencies).filter { graph.constants[$0] != nil })
    }

    /// The layer's nodes and those that prepare its weights, in the network's order.
    private static func nodes(of layer: LinearLayer, in graph: Graph) -> [Node] {
        var needed: Set<ValueID> = [layer.output]
        var found: [Node] = []
        for node in graph.nodes.reversed()
        where node.outputs.contains(where: { $0.map(needed.contains) ?? false }) {
            found.append(node)
            needed.formUnion(node.dependencies.filter { $0 != layer.input })
        }
        return found.reversed()
    }
}
