import EspalierGraphs
import EspalierOperators
import EspalierTensors

extension SizeNetwork {
    /// Powers of two by which the values of a linear network are scaled so that all are near 1, however deep it is.
    ///
    /// A value stands for 2 to an exponent of its own times itself. Where values of several exponents meet, as at the end of
    /// a residual block, they are first brought to the largest; and a factor behind a node brings back what has come too far
    /// from 1. Going through the network in double precision finds the exponents, and which nodes do not pass flow on in
    /// proportion: only through what gives twice as much for twice the input can flow be shared out.
    struct Scaling {
        /// How far, as an exponent, a value may be from 1.
        private static let leeway = 16
        /// What meets something larger by more than that is made no smaller still: beside it, it counts for nothing anyway,
        /// and should the other end further on, it is all there is.
        private static let smallestExponent = -100

        private let graph: Graph
        private let resolved: ResolvedGraph
        private let weights: Set<ValueID>
        /// Values that depend on the network's inputs and that something reads.
        private let flowing: Set<ValueID>
        private var patch: Patch
        /// Real ones in double precision, scaled.
        private var values: [ValueID: Tensor]
        /// Of the values that flow and are not all zero.
        private var exponents: [ValueID: Int] = [:]

        init(_ linear: Linear, inputShapes: [ValueID: Shape]) throws {
            graph = linear.graph
            resolved = try ResolvedGraph(graph, inputShapes: inputShapes)
            weights = linear.weights
            let live = try graph.removingDeadNodes().nodes
            flowing = linear.flowing.intersection(live.flatMap(\.dependencies) + graph.outputs)
            patch = Patch(for: graph)
            values = graph.constants.mapValues { tensor in
                tensor.dtype.isFloatingPoint ? tensor.converted(to: .float64) : tensor
            }
            for input in graph.inputs {
                let shape = inputShapes[input] ?? []
                let ones = Tensor(shape: shape, scalars: [Double](repeating: 1, count: shape.count))
                values[input] = ones
                if let dtype = resolved.facts[input]?.dtype, !dtype.isFloatingPoint {
                    values[input] = ones.converted(to: dtype)
                }
                if flowing.contains(input) { exponents[input] = 0 }
            }
            for node in live { try pass(node) }
            for output in graph.outputs where !flowing.contains(output) {
                throw SizeNetwork.refusal(
                    graph.name(of: output), "no real input of the network leads there")
            }
        }

        /// What each output counts by, so that all have the scale of the largest.
        var outputFactors: [Double] {
            let common = graph.outputs.compactMap { exponents[$0] }.max() ?? 0
            return graph.outputs.map { output in
                let exponent = max((exponents[output] ?? common) - common, Self.smallestExponent)
                return Double(sign: .plus, exponent: exponent, significand: 1)
            }
        }

        /// The sum of the outputs in that scale.
        var flow: Double {
            zip(graph.outputs, outputFactors).reduce(0) { sum, output in
                let elements = values[output.0]?.scalars(as: Double.self) ?? []
                return sum + output.1 * elements.reduce(0, +)
            }
        }

        /// The graph with its factors.
        func scaled() throws(GraphError) -> Graph {
            try graph.applying(patch)
        }
    }
}

// MARK: - Going through the network

extension SizeNetwork.Scaling {
    /// A node that is about to be gone through.
    private struct Step {
        let node: Node
        let operation: any EspalierOperators.Operator
        let outputs: [ValueFacts]
        /// The inputs that flow, and the outputs that do and are read.
        let inputPorts: [Int]
        let outputPorts: [Int]

        func evaluate(_ arguments: [Tensor?]) throws(PruningError) -> [Tensor] {
            do throws(OperatorError) {
                return try operation.evaluate(arguments, outputs: outputs).get()
            } catch {
                throw .node(node.label, error)
            }
        }
    }

    private mutating func pass(_ node: Node) throws {
        guard let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id]
        else { throw SizeNetwork.refusal(node.label, "\(node.operatorName) is not understood") }
        let flowing = flowing
        func flowingPorts(_ values: [ValueID?]) -> [Int] {
            values.indices.filter { values[$0].map(flowing.contains) ?? false }
        }
        let step = Step(
            node: node, operation: operation,
            outputs: signature.outputs.map { facts in
                facts.dtype.isFloatingPoint ? ValueFacts(dtype: .float64, shape: facts.shape) : facts
            },
            inputPorts: flowingPorts(node.inputs), outputPorts: flowingPorts(node.outputs))
        var arguments = node.inputs.map { $0.flatMap { values[$0] } }
        if !step.inputPorts.isEmpty, !step.outputPorts.isEmpty, !isLinear(step) {
            try requireProportion(step, arguments)
        }
        var scaled = node
        let common = step.inputPorts.compactMap { node.inputs[$0].flatMap { exponents[$0] } }.max() ?? 0
        for port in step.inputPorts {
            guard let input = node.inputs[port], let own = exponents[input], own < common else { continue }
            let change = max(own - common, Self.smallestExponent)
            let met = patch.newValue("\(graph.name(of: input)) met")
            insertFactor(change, from: input, to: met, at: node)
            scaled.inputs[port] = met
            arguments[port] = arguments[port]?.times(exponent: change)
        }
        for (port, tensor) in try step.evaluate(arguments).enumerated() where port < node.outputs.count {
            guard let output = node.outputs[port] else { continue }
            values[output] = tensor
            guard step.outputPorts.contains(port) else { continue }
            let elements = tensor.scalars(as: Double.self)
            guard elements.allSatisfy(\.isFinite) else {
                throw PruningError.scoreNotANumber(criterion: SynFlow.information.id, subject: node.label)
            }
            guard let largest = elements.max(), largest > 0 else { continue }
            let distance = Int(largest.exponent)
            let change = abs(distance) > Self.leeway ? -distance : 0
            exponents[output] = common - change
            guard change != 0 else { continue }
            let plain = patch.newValue("\(graph.name(of: output)) unscaled")
            insertFactor(change, from: plain, to: output, at: node)
            scaled.outputs[port] = plain
            values[output] = tensor.times(exponent: change)
        }
        if scaled.inputs != node.inputs || scaled.outputs != node.outputs { patch.append(.replace(scaled)) }
    }

    private mutating func insertFactor(
        _ exponent: Int, from input: ValueID, to output: ValueID, at node: Node
    ) {
        let factor = Tensor(Float(sign: .plus, exponent: exponent, significand: 1))
        patch.append(
            .insert(
                Node(
                    id: patch.newNodeID(), name: "\(node.label) scaling", operatorName: OperatorName("Mul"),
                    inputs: [input, patch.newConstant("\(node.label) scale", factor)], outputs: [output])))
    }

    /// Whether a node is linear by its own word, and so need not be tried: what it adds to a product with weights is zero.
    private func isLinear(_ step: Step) -> Bool {
        guard step.operation is any AffineMapping, step.inputPorts.count == 1 else { return false }
        return step.node.inputs.allSatisfy { input in
            guard let input, !flowing.contains(input), !weights.contains(input) else { return true }
            return values[input]?.nonzeroCount == 0
        }
    }

    /// - Throws: ``PruningError/notScored(criterion:subject:reason:)`` if the node gives not twice as much for twice the
    ///   flow, or less for more of it.
    private func requireProportion(_ step: Step, _ arguments: [Tensor?]) throws(PruningError) {
        func flow(_ arguments: [Tensor?]) throws(PruningError) -> [Double] {
            let outputs = try step.evaluate(arguments)
            return step.outputPorts.flatMap { outputs[$0].scalars(as: Double.self) }
        }
        let refusal = SizeNetwork.refusal(
            step.node.label,
            "\(step.node.operatorName) does not pass flow on in proportion; only sums, products with weights, "
                + "activations and what moves or picks values do")
        // Not what really flows: of values that are all alike or zero, nodes show too little.
        var arguments = arguments
        for port in step.inputPorts {
            guard let shape = arguments[port]?.shape else { continue }
            arguments[port] = Tensor(shape: shape, scalars: (0..<shape.count).map { 1 + Double($0 % 7) / 8 })
        }
        let once = try flow(arguments)
        var before = once
        for port in step.inputPorts {
            arguments[port] = arguments[port]?.times(exponent: 1)
            let after = try flow(arguments)
            guard zip(before, after).allSatisfy({ $0 <= $1 }) else { throw refusal }
            before = after
        }
        guard zip(once, before).allSatisfy({ 2 * $0 == $1 }) else { throw refusal }
    }
}

extension Tensor {
    /// Its elements times a power of two, in double precision.
    fileprivate func times(exponent: Int) -> Tensor {
        let factor = Double(sign: .plus, exponent: exponent, significand: 1)
        return Tensor(shape: shape, scalars: scalars(as: Double.self).map { factor * $0 })
    }
}
