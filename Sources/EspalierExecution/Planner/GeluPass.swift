import EspalierGraphs
import EspalierOperators
import EspalierTensors

extension Graph {
    /// This graph with x (1 + erf(x / sqrt 2)) / 2, written with five nodes as exporters do before opset 20, as one Gelu, which can be
    /// fused; in whatever order the three factors are multiplied; nil if there is none.
    func recognizingGelu(_ resolved: ResolvedGraph) throws(GraphError) -> Graph? {
        let pattern = GeluPattern(self, resolved)
        var patch = Patch(for: self)
        for node in nodes where resolved.operators[node.id] is Erf {
            // A constant of more axes than the input has would give its own number of axes to the result.
            guard let match = pattern.match(erf: node), let result = match.last.outputs.first ?? nil,
                resolved.facts[result]?.shape == resolved.facts[match.input]?.shape
            else { continue }
            var gelu = match.last
            gelu.operatorName = OperatorName("Gelu", domain: "com.microsoft")
            gelu.inputs = [match.input]
            gelu.attributes = [:]
            patch.append(.replace(gelu))
        }
        return patch.isEmpty ? nil : try applying(patch).removingDeadNodes()
    }
}

/// Finds the nodes around an Erf which make a Gelu.
private struct GeluPattern {
    let graph: Graph
    let resolved: ResolvedGraph
    private let consumers: [ValueID: [NodeID]]
    private let producers: [ValueID: NodeID]
    private let nodes: [NodeID: Node]

    init(_ graph: Graph, _ resolved: ResolvedGraph) {
        self.graph = graph
        self.resolved = resolved
        consumers = graph.consumers
        producers = graph.producers
        nodes = Dictionary(uniqueKeysWithValues: graph.nodes.map { ($0.id, $0) })
    }

    func match(erf: Node) -> (input: ValueID, last: Node)? {
        guard let argument = erf.inputs.first ?? nil, let scaling = producer(argument),
            let input = scaledInput(scaling), let sum = onlyConsumer(erf), resolved.operators[sum.id] is Add,
            otherOperand(of: sum, than: output(erf)).map({ isConstant($0, 1) }) ?? false,
            let product = onlyConsumer(sum), resolved.operators[product.id] is Mul,
            let factor = otherOperand(of: product, than: output(sum))
        else { return nil }
        // (1 + erf) times x / 2.
        if let half = producer(factor), resolved.operators[half.id] is Mul, half.inputs.contains(input),
            let constant = otherOperand(of: half, than: input), isConstant(constant, 0.5)
        {
            return (input, product)
        }
        // (1 + erf) times one of x and 1/2, times the other.
        guard let last = onlyConsumer(product), resolved.operators[last.id] is Mul,
            let other = otherOperand(of: last, than: output(product))
        else { return nil }
        let isGelu =
            (factor == input && isConstant(other, 0.5)) || (other == input && isConstant(factor, 0.5))
        return isGelu ? (input, last) : nil
    }

    /// x, if the node makes x / sqrt 2.
    private func scaledInput(_ node: Node) -> ValueID? {
        guard node.inputs.count == 2, let left = node.inputs[0], let right = node.inputs[1] else {
            return nil
        }
        switch resolved.operators[node.id] {
        case is Div: return isConstant(right, 2.0.squareRoot()) ? left : nil
        case is Mul:
            if isConstant(right, 0.5.squareRoot()) { return left }
            return isConstant(left, 0.5.squareRoot()) ? right : nil
        default: return nil
        }
    }

    private func producer(_ value: ValueID) -> Node? { producers[value].flatMap { nodes[$0] } }
    private func output(_ node: Node) -> ValueID? { node.outputs.first ?? nil }

    /// The only node that reads what `node` makes, if nothing else, not even the caller, does.
    private func onlyConsumer(_ node: Node) -> Node? {
        guard let value = output(node), !graph.outputs.contains(value), let readers = consumers[value],
            readers.count == 1
        else { return nil }
        return nodes[readers[0]]
    }

    private func otherOperand(of node: Node, than value: ValueID?) -> ValueID? {
        guard node.inputs.count == 2, let left = node.inputs[0], let right = node.inputs[1], left != right
        else { return nil }
        return left == value ? right : right == value ? left : nil
    }

    /// To the precision in which networks store it.
    private func isConstant(_ value: ValueID, _ number: Double) -> Bool {
        guard let tensor = resolved.facts[value]?.constant, tensor.count == 1 else { return false }
        return abs(tensor.scalars(as: Double.self)[0] - number) <= 1e-6 * number
    }
}
