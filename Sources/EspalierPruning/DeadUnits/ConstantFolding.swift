import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Moves what constant channels add to a layer's output into its bias.
///
/// The layer is run, by its reference in double precision, on nothing but the constant: what comes out beyond the answer
/// to zeros is what the channel adds. So it holds for every operator that multiplies weights with what it reads, and
/// whether the same is added at every position, borders included, is seen and not presumed.
struct ConstantFolding {
    private let resolved: ResolvedGraph
    private let nodes: [NodeID: Node]
    private var shifts: [NodeID: Shift] = [:]

    /// What is added to each channel of a node's output.
    struct Shift {
        /// The channels' axis of the output.
        let axis: Int
        var values: [Double]
    }

    init(_ resolved: ResolvedGraph) {
        self.resolved = resolved
        nodes = Dictionary(uniqueKeysWithValues: resolved.graph.nodes.map { ($0.id, $0) })
    }

    /// What channels that are constant add to the reader's output; nil if that is not the same at every position, or the
    /// node is not known to be linear in what it reads.
    func shift(at ending: ActivationSites.EndingPort, indices: [Int], value: Double) -> Shift? {
        guard let node = nodes[ending.node],
            let operation = resolved.operators[node.id] as? any AxisLinking,
            let signature = resolved.signatures[node.id], node.outputs.count == 1,
            let axis = outputChannels(of: operation, signature, reading: ending),
            let with = run(operation, signature, ending, indices: indices, value: value),
            let without = run(operation, signature, ending, indices: [], value: 0)
        else { return nil }
        let shape = signature.outputShape()
        let inner = shape.strides[axis]
        var low = [Double](repeating: .infinity, count: shape[axis])
        var high = [Double](repeating: -.infinity, count: shape[axis])
        for position in with.indices {
            let channel = position / inner % shape[axis]
            let difference = with[position] - without[position]
            low[channel] = min(low[channel], difference)
            high[channel] = max(high[channel], difference)
        }
        let scale = zip(low, high).map { max(abs($0), abs($1)) }.max() ?? 0
        guard zip(low, high).allSatisfy({ $1 - $0 <= 1e-9 * scale }) else { return nil }
        return Shift(axis: axis, values: low)
    }

    /// The axis of the output on which the channels lie that the weight produces; nil unless the weight sums over what
    /// ends here.
    private func outputChannels(
        of operation: any AxisLinking, _ signature: Signature, reading ending: ActivationSites.EndingPort
    ) -> Int? {
        let said = operation.axisLinks(signature)
        let own = PortAxis.input(ending.port, axis: ending.axis.axis)
        let isSummed = said.links.contains { link in
            let other = link.from == own ? link.to : link.to == own ? link.from : nil
            return other.map { said.roles[$0] == .consumer } ?? false
        }
        guard isSummed else { return nil }
        for link in said.links where link.map == .identity {
            for (weight, output) in [(link.from, link.to), (link.to, link.from)]
            where said.roles[weight] == .producer && output.port == .output(0) { return output.axis }
        }
        return nil
    }

    /// The output, in row-major order, for an input of one value on some channels and zero on all others.
    private func run(
        _ operation: any Operator, _ signature: Signature, _ ending: ActivationSites.EndingPort,
        indices: [Int], value: Double
    ) -> [Double]? {
        let shape = signature.inputShape(ending.port)
        let inner = shape.strides[ending.axis.axis]
        let wanted = Set(indices)
        let scalars = (0..<shape.count).map { position in
            wanted.contains(position / inner % shape[ending.axis.axis]) ? value : 0
        }
        var inputs: [Tensor?] = []
        for port in signature.inputs.indices {
            if port == ending.port {
                inputs.append(Tensor(shape: shape, scalars: scalars))
            } else {
                let constant = signature.constant(port)
                guard constant != nil || !signature.hasInput(port) else { return nil }
                inputs.append(
                    constant.map { $0.dtype.isFloatingPoint ? $0.converted(to: .float64) : $0 })
            }
        }
        let outputs = signature.outputs.map { ValueFacts(dtype: .float64, shape: $0.shape) }
        return try? operation.evaluate(inputs, outputs: outputs).get().first?.scalars(as: Double.self)
    }

    mutating func add(_ shift: Shift, to node: NodeID) {
        guard var sum = shifts[node] else {
            shifts[node] = shift
            return
        }
        for channel in sum.values.indices { sum.values[channel] += shift.values[channel] }
        shifts[node] = sum
    }

    /// The network with all shifts in biases; nodes that have none get a sum behind them.
    func applied() throws(GraphError) -> Graph {
        guard !shifts.isEmpty else { return resolved.graph }
        var patch = Patch(for: resolved.graph)
        let readers = resolved.graph.consumers
        for (id, shift) in shifts.sorted(by: { $0.key < $1.key }) {
            guard let node = nodes[id], let signature = resolved.signatures[id] else { continue }
            let ones = [Double](repeating: 1, count: shift.values.count)
            if let operation = resolved.operators[id] as? any ChannelAffineFolding,
                let constants = operation.folding(scale: ones, shift: shift.values, signature: signature)
            {
                replace(constants, of: node, readers: readers, in: &patch)
            } else {
                append(shift, behind: node, signature, to: &patch)
            }
        }
        return try resolved.graph.applying(patch)
    }

    private func replace(
        _ constants: [Int: Tensor], of node: Node, readers: [ValueID: [NodeID]], in patch: inout Patch
    ) {
        let graph = resolved.graph
        var changed = node
        for (port, tensor) in constants.sorted(by: { $0.key < $1.key }) {
            while changed.inputs.count <= port { changed.inputs.append(nil) }
            if let old = changed.inputs[port], let before = graph.constants[old] {
                if before.shape == tensor.shape,
                    before.scalars(as: Double.self) == tensor.scalars(as: Double.self)
                {
                    continue
                }
                if readers[old] == [node.id], !graph.outputs.contains(old) {
                    patch.append(.setConstant(old, tensor))
                    continue
                }
            }
            let base = changed.inputs[port].map { graph.name(of: $0) } ?? "\(node.label).bias"
            changed.inputs[port] = patch.newConstant(base, tensor)
        }
        patch.append(.replace(changed))
    }

    private func append(_ shift: Shift, behind node: Node, _ signature: Signature, to patch: inout Patch) {
        guard let output = node.outputs[0] else { return }
        let (rank, dtype) = (signature.outputShape().rank, signature.outputs[0].dtype)
        let extents = [shift.values.count] + [Int](repeating: 1, count: rank - 1 - shift.axis)
        let constant = patch.newConstant(
            "\(node.label).bias",
            Tensor(shape: Shape(extents), scalars: shift.values).converted(to: dtype))
        // The sum takes over the name: it may be one of the network's outputs.
        let before = patch.newValue("\(resolved.graph.name(of: output)).product")
        var changed = node
        changed.outputs = [before]
        patch.append(.replace(changed))
        patch.append(
            .insert(
                Node(
                    id: patch.newNodeID(), name: "\(node.label).bias", operatorName: OperatorName("Add"),
                    inputs: [before, constant], outputs: [output])))
    }
}
