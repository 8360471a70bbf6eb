package import EspalierGraphs
package import EspalierOperators
import EspalierTensors

extension Node {
    /// A node by itself, whose input and output values are numbered from 0.
    package static func single(
        _ name: OperatorName, inputs: [Bool], outputCount: Int, attributes: [String: Attribute] = [:]
    ) -> Node {
        Node(
            id: NodeID(index: 0), name: "node", operatorName: name,
            inputs: inputs.enumerated().map { $1 ? ValueID(index: $0) : nil },
            outputs: (0..<outputCount).map { ValueID(index: inputs.count + $0) }, attributes: attributes)
    }
}

extension Graph {
    /// A graph of one node. Its inputs are called x0, x1, ... and its outputs y0, y1, ... by port.
    ///
    /// - Parameters:
    ///   - opset: the version of the operator set that the operator belongs to.
    ///   - inputs: the facts of each input of the node; those with a constant become initializers.
    package static func oneNode(
        _ name: OperatorName, opset: Int, graphName: String = "one", attributes: [String: Attribute] = [:],
        inputs: [ValueFacts?], outputs: [ValueFacts]
    ) throws(GraphError) -> Graph {
        var builder = GraphBuilder(name: graphName, opset: name.domain.isEmpty ? opset : 17)
        if !name.domain.isEmpty { builder.edit { $0.opsetVersions[name.domain] = opset } }
        let inputIDs = inputs.enumerated().map { port, facts -> ValueID? in
            guard let facts else { return nil }
            if let constant = facts.constant { return builder.constant("x\(port)", constant) }
            return builder.input("x\(port)", type: ValueType(dtype: facts.dtype, shape: facts.shape))
        }
        let outputIDs = outputs.enumerated().map { port, facts in
            builder.value("y\(port)", type: ValueType(dtype: facts.dtype, shape: facts.shape))
        }
        builder.add(
            name.type, domain: name.domain, name: "node", inputs: inputIDs, outputs: outputIDs,
            attributes: attributes)
        return try builder.finish(outputs: outputIDs)
    }
}
