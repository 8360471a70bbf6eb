import EspalierExecution
import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// For every weight the sum over the data of the squares of the numbers that it multiplies.
///
/// A layer that multiplies weights with activations is linear in both, so with squared inputs and a gradient of one for
/// every output, the gradient of a weight is that sum: for a row of a matrix the squared norm of its input feature, for
/// an element of a convolution's kernel that of the shifted feature map, with stride, padding and groups as they are.
/// So it is left to the operators' own gradients.
struct InputNorms {
    /// One use of a weight.
    struct Use {
        let weight: ValueID
        let node: Node
        /// The activation that it is multiplied with, and its port.
        let input: ValueID
        let port: Int
        let weightPort: Int
    }

    let uses: [Use]
    private let graph: Graph
    private let threads: Int
    private var sums: [[Double]]
    private var sessions: [Int: Session] = [:]

    /// A program for one batch size, with the memory to write inputs to and the parameter of each use.
    private struct Session {
        let session: TrainingSession
        let inputs: [String]
        let entries: [ParameterStore.Entry]
    }

    init(_ resolved: ResolvedGraph, layers: [WeightedLayer], threads: Int) {
        graph = resolved.graph
        self.threads = threads
        let nodes = Dictionary(uniqueKeysWithValues: graph.nodes.map { ($0.id, $0) })
        uses = layers.compactMap { layer in
            guard layer.isPrunable, let node = nodes[layer.node] else { return nil }
            return Self.use(of: layer.weight, at: node, resolved)
        }
        sums = uses.map { use in
            [Double](repeating: 0, count: resolved.graph.constants[use.weight]?.count ?? 0)
        }
    }

    private static func use(of weight: ValueID, at node: Node, _ resolved: ResolvedGraph) -> Use? {
        guard let operation = resolved.operators[node.id] as? any Differentiable,
            let signature = resolved.signatures[node.id],
            let weightPort = node.inputs.firstIndex(of: weight),
            node.inputs.count(where: { $0 == weight }) == 1,
            operation.hasGradient(input: weightPort, signature: signature),
            signature.inputs[weightPort]?.dtype == .float32
        else { return nil }
        let open = node.inputs.indices.filter {
            signature.inputs[$0]?.dtype == .float32 && signature.constant($0) == nil
        }
        guard open.count == 1, let input = node.inputs[open[0]] else { return nil }
        return Use(weight: weight, node: node, input: input, port: open[0], weightPort: weightPort)
    }

    /// Adds a batch.
    ///
    /// - Parameters:
    ///   - inputs: the activations of each of ``uses``.
    ///   - shapes: theirs.
    mutating func add(
        _ inputs: [UnsafeBufferPointer<Float>], shapes: [Shape], batchSize: Int
    ) throws {
        let session = try sessions[batchSize] ?? makeSession(shapes)
        sessions[batchSize] = session
        for (name, values) in zip(session.inputs, inputs) {
            guard let target = session.session.input(name) else { continue }
            for index in 0..<min(values.count, target.count) { target[index] = values[index] * values[index] }
        }
        try session.session.forward()
        for gradients in session.session.outputGradients { gradients.update(repeating: 1) }
        try session.session.backward()
        let gradients = session.session.parameters.gradients
        for (use, entry) in session.entries.enumerated() {
            for (index, position) in entry.range.enumerated() {
                sums[use][index] += Double(gradients[position])
            }
        }
    }

    /// The layers side by side, each with an input of its own.
    private func makeSession(_ shapes: [Shape]) throws -> Session {
        var builder = GraphBuilder(name: "input norms")
        builder.edit { $0.opsetVersions = graph.opsetVersions }
        var (inputs, weights, outputs) = ([ValueID](), [ValueID](), [ValueID]())
        for (use, shape) in zip(uses, shapes) {
            let input = builder.input("input\(inputs.count)", type: ValueType(dtype: .float32, shape: shape))
            var ports: [ValueID?] = []
            for (port, value) in use.node.inputs.enumerated() {
                guard let value else {
                    ports.append(nil)
                    continue
                }
                if port == use.port {
                    ports.append(input)
                } else if let constant = graph.constants[value] {
                    let copy = builder.constant(graph.name(of: value), constant)
                    if port == use.weightPort { weights.append(copy) }
                    ports.append(copy)
                } else {
                    ports.append(nil)
                }
            }
            let output = builder.value("output\(outputs.count)")
            builder.add(
                Node(
                    id: builder.nextNodeID, name: use.node.name, operatorName: use.node.operatorName,
                    inputs: ports, outputs: [output], attributes: use.node.attributes))
            inputs.append(input)
            outputs.append(output)
        }
        let resolved = try ResolvedGraph(try builder.finish(outputs: outputs))
        let store = ParameterStore(resolved, trainable: weights)
        let session = try TrainingSession(
            resolved, outputs: outputs, parameters: store,
            options: TrainingSession.Options(
                phase: .training(frozenNormalization: true, seed: 0), threads: threads))
        return Session(
            session: session, inputs: inputs.map { resolved.graph.name(of: $0) }, entries: store.trainable)
    }

    /// The norms, by weight and in its shape; those of several uses of one weight together.
    var evidence: [ValueID: Tensor] {
        var squares: [ValueID: [Double]] = [:]
        for (use, sum) in zip(uses, sums) {
            squares[use.weight] = squares[use.weight].map { zip($0, sum).map(+) } ?? sum
        }
        return Dictionary(
            uniqueKeysWithValues: squares.compactMap { weight, sums in
                guard let shape = graph.constants[weight]?.shape else { return nil }
                // Rounding may leave a sum of squares a little below zero.
                return (
                    weight, Tensor(shape: shape, scalars: sums.map { Float(max(0, $0).squareRoot()) })
                )
            })
    }
}
