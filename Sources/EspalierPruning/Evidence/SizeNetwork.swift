import EspalierExecution
import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// A network made linear, with the sizes of its weights: what synaptic flow is taken on.
///
/// Which constants are weights and which are biases, the operators say themselves by the roles of their axes.
struct SizeNetwork {
    /// Of the same values; constants of other tensors, some nodes replaced, values scaled by powers of two.
    let graph: Graph
    let inputShapes: [ValueID: Shape]
    /// The weights, which keep their identities.
    let weights: Set<ValueID>
    /// What each output counts by, so that all have one scale.
    let outputFactors: [Double]
    /// The outputs' sum in that scale, in double precision.
    let flow: Double

    /// - Throws: ``PruningError``, ``ResolutionError``, ``GraphError``, ``ExecutionError``;
    ///   ``PruningError/notScored(criterion:subject:reason:)`` for a node that does not pass flow on in proportion.
    init(_ original: Graph, inputShapes given: [ValueID: Shape] = [:]) throws {
        let resolved = try ResolvedGraph(original, inputShapes: given)
        let linear = try Self.linear(resolved)
        inputShapes = Dictionary(
            uniqueKeysWithValues: original.inputs.map { ($0, resolved.facts[$0]?.shape ?? []) })
        weights = linear.weights
        let scaling = try Scaling(linear, inputShapes: inputShapes)
        graph = try scaling.scaled()
        outputFactors = scaling.outputFactors
        flow = scaling.flow
    }

    /// Why a network has no synaptic flow.
    static func refusal(_ subject: String, _ reason: String) -> PruningError {
        .notScored(criterion: SynFlow.information.id, subject: subject, reason: reason)
    }

    // MARK: - Making it linear

    struct Linear {
        let graph: Graph
        let weights: Set<ValueID>
        /// The real values that depend on the network's inputs.
        let flowing: Set<ValueID>
    }

    private static func linear(_ resolved: ResolvedGraph) throws -> Linear {
        let graph = resolved.graph
        // Knows operands that nodes compute from constants.
        let known = try resolved.foldingConstants()
        func isReal(_ value: ValueID) -> Bool { resolved.facts[value]?.dtype.isFloatingPoint ?? false }
        var patch = Patch(for: graph)
        var weights: Set<ValueID> = []
        var flowing = Set(graph.inputs.filter(isReal))
        for node in graph.nodes {
            guard let operation = resolved.operators[node.id],
                let signature = known.signatures[node.id] ?? resolved.signatures[node.id]
            else { throw refusal(node.label, "\(node.operatorName) is not understood") }
            let ports = node.inputs.indices.filter { node.inputs[$0].map(flowing.contains) ?? false }
            guard let port = ports.first, let flow = node.inputs[port] else { continue }
            flowing.formUnion(node.outputs.compactMap { $0 }.filter(isReal))
            if ports.count == 1 {
                var linear = node
                linear.attributes = [:]
                if isActivation(operation, node, signature, port: port) {
                    linear.operatorName = OperatorName("Identity")
                    linear.inputs = [flow]
                    linear.outputs = Array(node.outputs.prefix(1))
                    patch.append(.replace(linear))
                    continue
                }
                if let slope = try slope(operation, node, signature, port: port, known.graph.constants) {
                    linear.operatorName = OperatorName("Mul")
                    linear.inputs = [flow, patch.newConstant("\(node.label) slope", slope)]
                    patch.append(.replace(linear))
                    continue
                }
            }
            let roles = (operation as? any AxisLinking)?.axisLinks(signature).roles ?? [:]
            var sized = node
            for (port, input) in node.inputs.enumerated() {
                guard let input, isReal(input), !ports.contains(port) else { continue }
                let own = Set(roles.filter { $0.key.port == .input(port) }.values)
                if let tensor = graph.constants[input] {
                    if own.contains(where: \.isWeight) { weights.insert(input) }
                    let zeros = Tensor(zeros: tensor.shape, dtype: tensor.dtype)
                    patch.append(.setConstant(input, own == [.affine] ? zeros : tensor.sizes))
                } else if own == [.affine] {
                    let shape = signature.inputShape(port)
                    sized.inputs[port] = patch.newConstant("\(node.label) shift", Tensor(zeros: shape))
                } else {
                    // What nodes compute from constants has its size taken where it is read.
                    let size = patch.newValue("\(node.label) size")
                    sized.inputs[port] = size
                    patch.append(
                        .insert(
                            Node(
                                id: patch.newNodeID(), name: "\(node.label) size",
                                operatorName: OperatorName("Abs"), inputs: [input], outputs: [size])))
                }
            }
            if sized.inputs != node.inputs { patch.append(.replace(sized)) }
        }
        patch.append(.setOutputs(graph.outputs.map { resolved.logits(of: $0) }))
        return Linear(graph: try graph.applying(patch), weights: weights, flowing: flowing)
    }

    /// Whether a node applies a function to each element of what it reads at `port`.
    private static func isActivation(
        _ operation: any EspalierOperators.Operator, _ node: Node, _ signature: Signature, port: Int
    ) -> Bool {
        guard node.outputs.dropFirst().allSatisfy({ $0 == nil }),
            signature.inputShape(port) == signature.outputShape()
        else { return false }
        // The larger or smaller of a value and a constant, as some files write ReLU.
        let limits = (operation as? any VariadicElementwise)?.picksOne ?? false
        return limits || operation is any UnaryElementwise || operation is any BoundedSlope
    }

    /// The size of the slope of a node that is affine in what it reads at `port`, its other inputs being constants; nil if
    /// it is not.
    private static func slope(
        _ operation: any EspalierOperators.Operator, _ node: Node, _ signature: Signature, port: Int,
        _ constants: [ValueID: Tensor]
    ) throws(PruningError) -> Tensor? {
        guard let affine = operation as? any ChannelAffine,
            // Products and sums are affine whatever the constants' shapes.
            operation is any BinaryElementwise || affine.channelAffine(signature) != nil,
            let facts = signature.inputs[port], node.outputs.compactMap({ $0 }).count == 1
        else { return nil }
        var inputs = node.inputs.map { $0.flatMap { constants[$0] }?.converted(to: .float64) }
        let areKnown = node.inputs.indices.allSatisfy {
            $0 == port || node.inputs[$0] == nil || inputs[$0] != nil
        }
        guard areKnown else { return nil }
        func value(at x: Double) throws(PruningError) -> [Double] {
            inputs[port] = Tensor(
                shape: facts.shape, scalars: [Double](repeating: x, count: facts.shape.count))
            let outputs = signature.outputs.map { ValueFacts(dtype: .float64, shape: $0.shape) }
            do throws(OperatorError) {
                return try operation.evaluate(inputs, outputs: outputs).get()[0].scalars(as: Double.self)
            } catch {
                throw .node(node.label, error)
            }
        }
        let (zero, one) = (try value(at: 0), try value(at: 1))
        let slopes = zip(one, zero).map { Float(($0 - $1).magnitude) }
        // What divides by the flow has none at zero.
        guard slopes.allSatisfy(\.isFinite) else { return nil }
        return Tensor(shape: signature.outputs[0].shape, scalars: slopes)
    }
}

extension Tensor {
    /// The magnitudes of its elements.
    fileprivate var sizes: Tensor {
        Tensor(shape: shape, scalars: scalars(as: Double.self).map(\.magnitude)).converted(to: dtype)
    }
}
