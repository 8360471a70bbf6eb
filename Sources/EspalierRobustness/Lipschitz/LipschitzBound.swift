package import EspalierGraphs
package import EspalierOperators
import EspalierTensors

/// An upper bound of a network's Lipschitz constant: by how much its outputs move at most when its inputs move by 1, both
/// measured in one norm.
///
/// Constants are composed over the graph in its order: a linear layer multiplies by its operator norm, an activation by
/// its largest slope, a sum adds those of its branches, a concatenation takes the root of the sum of their squares (in
/// l-infinity the largest). Products of norms take no account of how layers fit each other, so the bound is far above what
/// is found by looking, and the further the deeper the network is.
///
/// Several inputs count as one long one.
package struct LipschitzBound: Sendable {
    package let norm: VectorNorm
    /// For every value that depends on the network's inputs and that its outputs depend on.
    package let values: [ValueID: Double]
    /// For each of the network's outputs by itself, in its order.
    package let outputs: [Double]

    /// - Parameters:
    ///   - layers: those of ``ResolvedGraph/linearLayers()``.
    ///   - constants: an upper bound of each layer's operator norm in `norm`, in their order.
    /// - Throws: ``RobustnessError/unbounded(node:operatorName:reason:)`` for the first node without a constant.
    package init(
        _ resolved: ResolvedGraph, layers: [LinearLayer], constants: [Double], norm: VectorNorm
    ) throws(RobustnessError) {
        self.norm = norm
        let graph = resolved.graph
        let dependence = Dependence(resolved)
        let needed = graph.nodes(behind: graph.outputs)
        // By the node that begins it; the one that ends it gives the value.
        var layerOfNode: [NodeID: Int] = [:]
        for (index, layer) in layers.enumerated() {
            for node in layer.nodes { layerOfNode[node] = index }
        }
        var values: [ValueID: Double] = [:]
        for input in graph.inputs { values[input] = 1 }
        for node in graph.nodes where needed.contains(node.id) {
            let ports = dependence.ports(node)
            if dependence.varying.isDisjoint(with: node.dependencies) { continue }
            if let index = layerOfNode[node.id] {
                let layer = layers[index]
                if layer.nodes.last == node.id, let constant = values[layer.input] {
                    values[layer.output] = constant * constants[index] * (1 + Rounding.relative(1))
                }
                continue
            }
            let rule = try Self.rule(of: node, varying: ports, norm: norm, in: resolved)
            var inputs: [Int: Double] = [:]
            for port in ports {
                if let input = node.inputs[port] { inputs[port] = values[input] }
            }
            let constant = rule.constant(of: inputs, in: norm) * (1 + Rounding.relative(ports.count + 3))
            for case let output? in node.outputs where dependence.varying.contains(output) {
                values[output] = constant
            }
        }
        self.values = values
        outputs = graph.outputs.map { values[$0] ?? 0 }
    }

    /// The same with the operator norms that were measured.
    package init(
        _ resolved: ResolvedGraph, layers: [LinearLayer], norms: [OperatorNorm], norm: VectorNorm
    ) throws(RobustnessError) {
        try self.init(resolved, layers: layers, constants: norms.map { $0[norm] }, norm: norm)
    }

    /// The rule of a node that is no linear layer.
    private static func rule(
        of node: Node, varying: Set<Int>, norm: VectorNorm, in resolved: ResolvedGraph
    ) throws(RobustnessError) -> LipschitzRule {
        func refusal(_ reason: String) -> RobustnessError {
            .unbounded(node: node.label, operatorName: node.operatorName, reason: reason)
        }
        if let reason = resolved.opaque[node.id] { throw refusal("\(reason)") }
        guard let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id] else {
            throw refusal("it is not understood")
        }
        if signature.outputs.contains(where: { !$0.dtype.isFloatingPoint && $0.constant == nil }),
            signature.outputs.first?.dtype.isFloatingPoint != true
        {
            throw refusal("its output is no real number and can jump")
        }
        do throws(OperatorError) {
            if let bounding = operation as? any LipschitzBounding {
                return try bounding.lipschitzRule(varying: varying, in: norm, signature)
            }
            if let affine = operation as? any AffineMapping {
                guard varying.count == 1, let port = varying.first else {
                    let ports = varying.sorted().map(String.init).joined(separator: " and ")
                    throw .unsupported(
                        "a product of inputs \(ports), which all depend on the network's: each is the other's slope"
                    )
                }
                _ = try affine.linearMap(of: port, scalingChannels: nil, signature)
            }
            throw .unsupported("the slope of this operator has no bound that is known")
        } catch {
            if case .unsupported(let reason) = error { throw refusal(reason) }
            throw refusal("\(error)")
        }
    }
}
