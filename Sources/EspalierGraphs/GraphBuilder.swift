public import EspalierTensors

/// Builds a graph piece by piece and checks it once at the end.
///
/// ```swift
/// var builder = GraphBuilder(name: "tiny", opset: 17)
/// let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 4]))
/// let w = builder.constant("w", Tensor(zeros: [2, 4]))
/// let y = builder.node("Gemm", inputs: [x, w], attributes: ["transB": .int(1)])
/// let graph = try builder.finish(outputs: [y])
/// ```
public struct GraphBuilder {
    package private(set) var graph: Graph
    private var usedNames: Set<String> = []

    /// - Parameter opset: the version of the standard operator set.
    public init(name: String, opset: Int = 17) {
        graph = Graph(
            name: name, nodes: [], values: [:], inputs: [], outputs: [], constants: [:], opaqueConstants: [:],
            opsetVersions: ["": opset], metadata: [:],
            modelInformation: ModelInformation(irVersion: 8), nextValueIndex: 0, nextNodeIndex: 0)
    }

    /// Declares a value; the name is made unique by a suffix when it is taken or empty.
    public mutating func value(_ name: String, type: ValueType? = nil) -> ValueID {
        let id = ValueID(index: graph.nextValueIndex)
        graph.nextValueIndex += 1
        var unique = name
        var suffix = 1
        while unique.isEmpty || usedNames.contains(unique) {
            unique = "\(name.isEmpty ? "value" : name)_\(suffix)"
            suffix += 1
        }
        usedNames.insert(unique)
        graph.values[id] = Value(id: id, name: unique, type: type)
        return id
    }

    /// Declares a graph input.
    public mutating func input(_ name: String, type: ValueType) -> ValueID {
        let id = value(name, type: type)
        graph.inputs.append(id)
        return id
    }

    /// Adds a constant.
    public mutating func constant(_ name: String, _ tensor: Tensor) -> ValueID {
        let id = value(name, type: ValueType(dtype: tensor.dtype, shape: tensor.shape))
        graph.constants[id] = tensor
        return id
    }

    /// Adds a node with one output, and returns that output.
    public mutating func node(
        _ type: String, domain: String = "", name: String = "", inputs: [ValueID?],
        attributes: [String: Attribute] = [:]
    ) -> ValueID {
        let output = value(name.isEmpty ? "\(type.lowercased())_\(graph.nextNodeIndex)" : "\(name)_output")
        add(type, domain: domain, name: name, inputs: inputs, outputs: [output], attributes: attributes)
        return output
    }

    /// Adds a node with the given outputs, which were declared by ``value(_:type:)``.
    public mutating func add(
        _ type: String, domain: String = "", name: String = "", inputs: [ValueID?], outputs: [ValueID?],
        attributes: [String: Attribute] = [:]
    ) {
        let id = NodeID(index: graph.nextNodeIndex)
        add(
            Node(
                id: id, name: name, operatorName: OperatorName(type, domain: domain), inputs: inputs,
                outputs: outputs, attributes: attributes))
    }

    /// Adds a node made by the caller, whose identity must be ``nextNodeID``.
    package mutating func add(_ node: Node) {
        graph.nodes.append(node)
        graph.nextNodeIndex = Swift.max(graph.nextNodeIndex, node.id.index + 1)
    }

    package var nextNodeID: NodeID { NodeID(index: graph.nextNodeIndex) }

    /// Direct access for an importer, which fills in what the calls above do not.
    package mutating func edit<Result>(_ body: (inout Graph) throws -> Result) rethrows -> Result {
        try body(&graph)
    }

    package mutating func setOpaqueConstant(_ id: ValueID, _ constant: OpaqueConstant) {
        graph.opaqueConstants[id] = constant
    }

    package mutating func updateValue<Failure: Error>(
        _ id: ValueID, _ body: (inout Value) throws(Failure) -> Void
    ) throws(Failure) {
        guard var value = graph.values[id] else { return }
        try body(&value)
        graph.values[id] = value
    }

    package mutating func setConstant(_ id: ValueID, _ tensor: Tensor) {
        graph.constants[id] = tensor
        graph.values[id]?.type = ValueType(dtype: tensor.dtype, shape: tensor.shape)
    }

    package mutating func declareInput(_ id: ValueID) {
        graph.inputs.append(id)
    }

    /// The finished graph, its nodes sorted topologically.
    ///
    /// - Throws: ``GraphError`` if an invariant does not hold.
    public consuming func finish(outputs: [ValueID]) throws(GraphError) -> Graph {
        graph.outputs = outputs
        try graph.sortAndCheck()
        return graph
    }
}
