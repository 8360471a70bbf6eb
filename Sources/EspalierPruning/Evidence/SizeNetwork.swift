import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// A network made linear, with the sizes of its weights: what synaptic flow is taken on.
///
/// Which constants are weights and which are biases, the operators say themselves by the roles of their axes.
struct SizeNetwork {
    /// Of the same values; constants of other tensors, some nodes replaced, layers scaled by powers of two.
    let graph: Graph
    let inputShapes: [ValueID: Shape]
    /// The weights, which keep their identities.
    let weights: Set<ValueID>
    /// What stands for 1 at an input.
    let inputScale: [ValueID: Double]

    /// - Throws: ``PruningError``, ``ResolutionError``, ``GraphError``.
    init(_ original: Graph, inputShapes given: [ValueID: Shape] = [:]) throws {
        let resolved = try ResolvedGraph(original, inputShapes: given)
        let linear = try Self.linear(resolved)
        inputShapes = Dictionary(
            uniqueKeysWithValues: original.inputs.map { ($0, resolved.facts[$0]?.shape ?? []) })
        weights = linear.weights
        let scaling = try Scaling(linear.graph, inputShapes: inputShapes, weighted: linear.weighted)
        graph = try scaling.scaled(linear.graph)
        inputScale = Dictionary(
            uniqueKeysWithValues: original.inputs.map { ($0, scaling.scale(of: $0)) })
    }

    // MARK: - Making it linear

    private struct Linear {
        let graph: Graph
        let weights: Set<ValueID>
        /// The nodes that multiply with weights.
        let weighted: Set<NodeID>
    }

    private static func linear(_ resolved: ResolvedGraph) throws -> Linear {
        let graph = resolved.graph
        var patch = Patch(for: graph)
        var weights: Set<ValueID> = []
        var weighted: Set<NodeID> = []
        for node in graph.nodes {
            guard let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id]
            else {
                throw PruningError.surgery(
                    "synaptic flow cannot pass node '\(node.label)', which is not understood")
            }
            if operation is any UnaryElementwise, let input = node.inputs.first {
                patch.append(
                    .replace(
                        Node(
                            id: node.id, name: node.name, operatorName: OperatorName("Identity"),
                            inputs: [input], outputs: node.outputs)))
                continue
            }
            if operation is any ChannelAffine,
                let slope = try slope(operation, node: node, signature: signature, graph: graph)
            {
                let factor = patch.newConstant("\(node.label) slope", slope)
                patch.append(
                    .replace(
                        Node(
                            id: node.id, name: node.name, operatorName: OperatorName("Mul"),
                            inputs: [node.inputs[0], factor], outputs: [node.outputs[0]])))
                continue
            }
            let roles = (operation as? any AxisLinking)?.axisLinks(signature).roles ?? [:]
            for (port, input) in node.inputs.enumerated() {
                guard let input, let tensor = graph.constants[input], tensor.dtype.isFloatingPoint else {
                    continue
                }
                let own = Set(roles.filter { $0.key.port == .input(port) }.values)
                if own == [.affine] {
                    patch.append(.setConstant(input, Tensor(zeros: tensor.shape, dtype: tensor.dtype)))
                    continue
                }
                if own.contains(.producer) || own.contains(.consumer) {
                    weights.insert(input)
                    weighted.insert(node.id)
                }
                let sizes = tensor.scalars(as: Double.self).map(\.magnitude)
                patch.append(
                    .setConstant(
                        input, Tensor(shape: tensor.shape, scalars: sizes).converted(to: tensor.dtype)))
            }
        }
        patch.append(.setOutputs(graph.outputs.map { resolved.logits(of: $0) }))
        return Linear(graph: try graph.applying(patch), weights: weights, weighted: weighted)
    }

    /// The size of the slope of a node that is affine in its first input, its other inputs being constants; nil if they are
    /// not.
    private static func slope(
        _ operation: any EspalierOperators.Operator, node: Node, signature: Signature, graph: Graph
    ) throws(PruningError) -> Tensor? {
        guard let facts = signature.inputs.first ?? nil, facts.dtype.isFloatingPoint,
            node.outputs.compactMap({ $0 }).count == 1,
            node.inputs[0].map({ graph.constants[$0] == nil }) ?? false,
            node.inputs.dropFirst().allSatisfy({ $0.map { graph.constants[$0] != nil } ?? true })
        else { return nil }
        func value(at x: Double) throws(PruningError) -> [Double] {
            var inputs = node.inputs.map { $0.flatMap { graph.constants[$0] }?.converted(to: .float64) }
            inputs[0] = Tensor(
                shape: facts.shape, scalars: [Double](repeating: x, count: facts.shape.count))
            let outputs = signature.outputs.map { ValueFacts(dtype: .float64, shape: $0.shape) }
            do throws(OperatorError) {
                return try operation.evaluate(inputs, outputs: outputs).get()[0].scalars(as: Double.self)
            } catch {
                throw .node(node.label, error)
            }
        }
        let (zero, one) = (try value(at: 0), try value(at: 1))
        return Tensor(
            shape: signature.outputs[0].shape, scalars: zip(one, zero).map { Float(($0 - $1).magnitude) })
    }
}
