public import EspalierTensors

/// An edit of a graph: surgery, fusion and clean-up are all lists of these, checked as a whole when applied.
///
/// Create a patch from the graph that it will be applied to; identities it hands out are fresh in that graph.
public struct Patch: Sendable {
    /// One change.
    public enum Edit: Sendable {
        /// Replaces a constant's tensor, or makes a fresh value a constant.
        case setConstant(ValueID, Tensor)
        /// Sets an attribute, or with nil takes it away.
        case setAttribute(NodeID, name: String, Attribute?)
        /// Adds a node with an identity from ``Patch/newNodeID()``, anywhere: nodes are sorted afterwards.
        case insert(Node)
        /// Replaces the node of the same identity.
        case replace(Node)
        /// Removes a node; what it produced must not be read any more.
        case remove(NodeID)
        /// Makes every node and graph output that reads the first value read the second.
        case replaceUses(of: ValueID, with: ValueID)
        /// Declares what a value is.
        case setType(ValueID, ValueType?)
        /// Makes these the graph's outputs, in order.
        case setOutputs([ValueID])
        /// Makes these the graph's inputs, in order.
        case setInputs([ValueID])
    }

    /// In the order in which they are applied.
    public private(set) var edits: [Edit] = []
    private(set) var newValues: [Value] = []
    private var nextValueIndex: Int
    private var nextNodeIndex: Int
    private var usedNames: Set<String>

    /// An empty patch for `graph`.
    public init(for graph: Graph) {
        nextValueIndex = graph.nextValueIndex
        nextNodeIndex = graph.nextNodeIndex
        usedNames = graph.modelInformation.reservedNames.union(graph.values.values.map(\.name))
    }

    public var isEmpty: Bool { edits.isEmpty }

    /// Adds an edit behind the others.
    public mutating func append(_ edit: Edit) {
        edits.append(edit)
    }

    /// A fresh value, named `name` or, where that is taken, `name` with a number.
    public mutating func newValue(_ name: String, type: ValueType? = nil) -> ValueID {
        var unique = name
        var suffix = 1
        while unique.isEmpty || usedNames.contains(unique) {
            unique = "\(name.isEmpty ? "value" : name)_\(suffix)"
            suffix += 1
        }
        usedNames.insert(unique)
        let id = ValueID(index: nextValueIndex)
        nextValueIndex += 1
        newValues.append(Value(id: id, name: unique, type: type))
        return id
    }

    /// A fresh constant.
    public mutating func newConstant(_ name: String, _ tensor: Tensor) -> ValueID {
        let id = newValue(name, type: ValueType(dtype: tensor.dtype, shape: tensor.shape))
        edits.append(.setConstant(id, tensor))
        return id
    }

    /// A fresh node identity.
    public mutating func newNodeID() -> NodeID {
        defer { nextNodeIndex += 1 }
        return NodeID(index: nextNodeIndex)
    }
}

extension Graph {
    /// This graph with `patch` applied, constants and values that nothing reads any more dropped.
    ///
    /// - Throws: ``GraphError`` if an edit names something that does not exist or the result breaks an invariant.
    public func applying(_ patch: Patch) throws(GraphError) -> Graph {
        var result = self
        for value in patch.newValues {
            result.values[value.id] = value
            result.nextValueIndex = Swift.max(result.nextValueIndex, value.id.index + 1)
        }
        for edit in patch.edits { try result.apply(edit) }
        result.dropUnusedValues()
        try result.sortAndCheck()
        return result
    }

    private mutating func apply(_ edit: Patch.Edit) throws(GraphError) {
        switch edit {
        case .setConstant(let id, let tensor):
            guard values[id] != nil else { throw .unknownValue(id) }
            constants[id] = tensor
            values[id]?.type = ValueType(dtype: tensor.dtype, shape: tensor.shape)
        case .setAttribute(let id, let name, let attribute):
            nodes[try position(of: id)].attributes[name] = attribute
        case .insert(let node):
            nodes.append(node)
            nextNodeIndex = Swift.max(nextNodeIndex, node.id.index + 1)
        case .replace(let node):
            nodes[try position(of: node.id)] = node
        case .remove(let id):
            nodes.remove(at: try position(of: id))
        case .replaceUses(let old, let new):
            for position in nodes.indices {
                nodes[position].inputs = nodes[position].inputs.map { $0 == old ? new : $0 }
            }
            outputs = outputs.map { $0 == old ? new : $0 }
        case .setType(let id, let type):
            guard values[id] != nil else { throw .unknownValue(id) }
            values[id]?.type = type
        case .setOutputs(let ids):
            outputs = ids
        case .setInputs(let ids):
            inputs = ids
        }
    }

    private func position(of id: NodeID) throws(GraphError) -> Int {
        guard let position = nodes.firstIndex(where: { $0.id == id }) else { throw .unknownNode(id) }
        return position
    }

    /// Drops constants that no node and no output reads, and values that nothing produces or reads.
    private mutating func dropUnusedValues() {
        var live = Set(inputs).union(outputs)
        for node in nodes {
            live.formUnion(node.dependencies)
            live.formUnion(node.outputs.compactMap { $0 })
        }
        constants = constants.filter { live.contains($0.key) }
        opaqueConstants = opaqueConstants.filter { live.contains($0.key) }
        values = values.filter { live.contains($0.key) }
    }

    /// This graph without nodes from which no output can be reached.
    public func removingDeadNodes() throws(GraphError) -> Graph {
        var needed = Set(outputs)
        var patch = Patch(for: self)
        for node in nodes.reversed() {
            if node.outputs.contains(where: { $0.map(needed.contains) ?? false }) {
                needed.formUnion(node.dependencies)
            } else {
                patch.append(.remove(node.id))
            }
        }
        return try applying(patch)
    }
}
