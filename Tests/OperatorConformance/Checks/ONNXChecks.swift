import EspalierGraphs
import EspalierONNX
import EspalierOperators
import EspalierTensors
import TestSupport

extension PreparedCase {
    /// A model of this node only, named after the case.
    func graph() throws(GraphError) -> Graph {
        try .oneNode(
            source.operatorName, opset: source.opset, graphName: source.name, attributes: source.attributes,
            inputs: signature.inputs, outputs: signature.outputs)
    }

    /// Written to ONNX and read back, it is the same node, with the same constants, that infers the same.
    func checkRoundTrip() throws -> [String] {
        let graph = try graph()
        let back = try ONNXModel.load(bytes: try ONNXModel.serialized(graph))
        guard let original = graph.nodes.first, let node = back.nodes.first else {
            return checkConstantOutput(back)
        }
        var problems: [String] = []
        if back.nodes.count != 1 { problems.append("\(back.nodes.count) nodes") }
        if node.operatorName != original.operatorName { problems.append("operator \(node.operatorName)") }
        if back.opsetVersion(of: node.operatorName) != source.opset {
            problems.append("operator set \(back.opsetVersion(of: node.operatorName))")
        }
        for name in Set(original.attributes.keys).union(node.attributes.keys).sorted() {
            guard let one = original.attributes[name], let other = node.attributes[name],
                one.isSame(as: other)
            else {
                problems.append("attribute '\(name)' has changed")
                continue
            }
        }
        for (port, tensor) in inputs.enumerated() {
            let id = node.inputs.indices.contains(port) ? node.inputs[port] : nil
            guard (id == nil) == (tensor == nil) else {
                problems.append("input \(port) has come or gone")
                continue
            }
            guard isConstant(port), let tensor else { continue }
            guard let constant = id.flatMap({ back.constants[$0] }) else {
                problems.append("input \(port) is no constant any more")
                continue
            }
            if let problem = difference(constant, from: tensor, .exact) {
                problems.append("constant input \(port): \(problem)")
            }
        }
        let facts = try ResolvedGraph(back).signatures[node.id]?.outputs.map { ($0.dtype, $0.shape) } ?? []
        let expected = signature.outputs.map { ($0.dtype, $0.shape) }
        if !facts.elementsEqual(expected, by: ==) { problems.append("infers \(facts), not \(expected)") }
        return problems
    }

    /// A `Constant` node is read as the constant that it is.
    private func checkConstantOutput(_ graph: Graph) -> [String] {
        guard let output = graph.outputs.first.flatMap({ graph.constants[$0] }),
            let expected = signature.outputs.first?.constant
        else { return ["the node is gone"] }
        return difference(output, from: expected, .exact).map { ["as a constant: \($0)"] } ?? []
    }
}

extension Attribute {
    func isSame(as other: Attribute) -> Bool {
        switch (self, other) {
        case (.int(let one), .int(let other)): one == other
        case (.float(let one), .float(let other)): one.bitPattern == other.bitPattern
        case (.string(let one), .string(let other)): one == other
        case (.ints(let one), .ints(let other)): one == other
        case (.floats(let one), .floats(let other)): one.map(\.bitPattern) == other.map(\.bitPattern)
        case (.strings(let one), .strings(let other)): one == other
        case (.opaque(let one), .opaque(let other)): one == other
        case (.tensor(let one), .tensor(let other)): difference(one, from: other, .exact) == nil
        default: false
        }
    }
}
