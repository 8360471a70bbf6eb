package import EspalierGraphs
package import EspalierOperators
import EspalierTensors

/// Collects what constant channels add to the outputs of the layers that read them, and moves it into their biases.
package struct ConstantFolding: Sendable {
    private let resolved: ResolvedGraph
    private let nodes: [NodeID: Node]
    private var shifts: [NodeID: Shift] = [:]

    /// What is added to each channel of a node's output, as ``LinearReader/shift(of:)`` finds it.
    package struct Shift: Sendable {
        /// The channels' axis of the output.
        package let axis: Int
        package internal(set) var values: [Double]
    }

    package init(_ resolved: ResolvedGraph) {
        self.resolved = resolved
        nodes = Dictionary(uniqueKeysWithValues: resolved.graph.nodes.map { ($0.id, $0) })
    }

    package mutating func add(_ shift: Shift, to node: NodeID) {
        guard var sum = shifts[node] else {
            shifts[node] = shift
            return
        }
        for channel in sum.values.indices { sum.values[channel] += shift.values[channel] }
        shifts[node] = sum
    }

    /// Appends the edits that bring all shifts into biases; nodes that have none get a sum behind them. Weights stay as
    /// they are.
    package func append(to patch: inout Patch) {
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
