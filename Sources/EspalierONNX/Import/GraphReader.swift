import EspalierGraphs
import EspalierTensors

/// Turns a graph message into a ``Graph``.
///
/// All names are declared first (inputs, initializers, node outputs), then read: a file's nodes need not be in
/// order, and subgraphs read names too.
struct GraphReader {
    private let tensors: TensorReader
    private var builder: GraphBuilder
    private var identities: [String: ValueID] = [:]
    private var reservedNames: Set<String> = []
    private var sparseAllowance = SparseAllowance()

    /// Reads `message`, whose tensors are freed on the way; `header` sets what the model says about the graph.
    static func read(
        _ message: inout GraphProto, tensors: TensorReader, header: (inout Graph) -> Void
    ) throws(ONNXError) -> Graph {
        var reader = GraphReader(tensors: tensors, builder: GraphBuilder(name: message.name))
        reader.builder.edit(header)
        return try reader.read(&message)
    }

    private init(tensors: TensorReader, builder: GraphBuilder) {
        self.tensors = tensors
        self.builder = builder
    }

    private mutating func read(_ message: inout GraphProto) throws(ONNXError) -> Graph {
        try declareInputs(of: message)
        try readInitializers(of: &message)
        let constantNodes = try declareOutputs(of: message.node)
        for (position, node) in message.node.enumerated() where !constantNodes.contains(position) {
            try locating(node.label(at: position)) { () throws(ONNXError) in
                try add(node, at: position)
            }
        }
        for info in message.valueInfo { try adopt(info) }
        var outputs: [ValueID] = []
        for info in message.output {
            guard !info.name.isEmpty else { throw ONNXError(.invalidStructure("a graph output has no name")) }
            outputs.append(identity(of: info.name))
            try adopt(info)
        }
        let (documentation, unknownFields) = (message.docString, message.unknownBytes)
        builder.edit { [reservedNames] graph in
            graph.modelInformation.graphDocumentation = documentation
            graph.modelInformation.unknownGraphFields = unknownFields
            graph.modelInformation.reservedNames = reservedNames
        }
        do throws(GraphError) {
            return try builder.finish(outputs: outputs)
        } catch {
            throw ONNXError(.invalidGraph(error))
        }
    }

    // MARK: Names

    private mutating func declare(_ name: String) throws(ONNXError) -> ValueID {
        guard identities[name] == nil else {
            throw ONNXError(.invalidGraph(.severalProducers(value: name)))
        }
        return identity(of: name)
    }

    /// The value called `name`. One that nothing declared is made, for the final check to report with its reader.
    private mutating func identity(of name: String) -> ValueID {
        if let known = identities[name] { return known }
        let id = builder.value(name)
        identities[name] = id
        return id
    }

    /// Takes over a declared type. Types of initializers are those of their tensors; types of values that do not
    /// exist are what some exporters leave behind.
    private mutating func adopt(_ info: ValueInfoProto) throws(ONNXError) {
        guard let id = identities[info.name], builder.graph.constants[id] == nil,
            builder.graph.opaqueConstants[id] == nil
        else { return }
        try locating("value '\(info.name)'") { () throws(ONNXError) in
            try builder.updateValue(id) { (value) throws(ONNXError) in try value.adopt(info) }
        }
    }

    // MARK: Inputs and initializers

    /// Declares the inputs, leaving out those for which there is an initializer: before IR version 4 each
    /// initializer had to be listed, later a listed one is a default, which stays what it is here.
    private mutating func declareInputs(of message: GraphProto) throws(ONNXError) {
        var constants = Set(message.initializer.map(\.name))
        constants.formUnion(message.sparseInitializer.map(\.values.name))
        for info in message.input where !constants.contains(info.name) {
            guard !info.name.isEmpty else { throw ONNXError(.invalidStructure("a graph input has no name")) }
            builder.declareInput(try declare(info.name))
            try adopt(info)
        }
    }

    private mutating func readInitializers(of message: inout GraphProto) throws(ONNXError) {
        for position in message.initializer.indices {
            // Moved out, so that each message's copy of the data is freed at once.
            var tensor = TensorProto()
            swap(&tensor, &message.initializer[position])
            let name = tensor.name
            guard !name.isEmpty else {
                throw ONNXError(.invalidStructure("initializer \(position) has no name"))
            }
            let id = try declare(name)
            try locating("initializer '\(name)'") { () throws(ONNXError) in
                try setConstant(id, to: tensor)
            }
        }
        for position in message.sparseInitializer.indices {
            var tensor = SparseTensorProto()
            swap(&tensor, &message.sparseInitializer[position])
            let name = tensor.values.name
            guard !name.isEmpty else {
                throw ONNXError(.invalidStructure("sparse initializer \(position) has no name"))
            }
            let id = try declare(name)
            try locating("sparse initializer '\(name)'") { () throws(ONNXError) in
                try setConstant(id, to: tensor)
            }
        }
    }

    private mutating func setConstant(_ id: ValueID, to message: SparseTensorProto) throws(ONNXError) {
        if let tensor = try tensors.read(message, within: &sparseAllowance) {
            setConstant(id, tensor, describedBy: message.values)
        } else {
            var message = message
            try tensors.external.inline(&message)
            builder.setOpaqueConstant(id, OpaqueConstant(kind: .sparseTensor, bytes: try encode(message)))
        }
    }

    private mutating func setConstant(_ id: ValueID, to message: TensorProto) throws(ONNXError) {
        if try message.elementType == nil {
            var message = message
            try tensors.external.inline(&message)
            builder.setOpaqueConstant(id, OpaqueConstant(kind: .tensor, bytes: try encode(message)))
        } else {
            setConstant(id, try tensors.read(message), describedBy: message)
        }
    }

    private mutating func setConstant(_ id: ValueID, _ tensor: Tensor, describedBy message: TensorProto) {
        builder.setConstant(id, tensor)
        builder.updateValue(id) { value in
            value.documentation = message.docString
            value.unknownTensorFields = message.unknownBytes
        }
    }

    // MARK: Nodes

    /// Declares what nodes produce, and makes constants of `Constant` nodes, whose positions are returned.
    private mutating func declareOutputs(of nodes: [NodeProto]) throws(ONNXError) -> Set<Int> {
        var constantNodes: Set<Int> = []
        for (position, node) in nodes.enumerated() {
            try locating(node.label(at: position)) { () throws(ONNXError) in
                let constant = try tensors.constant(of: node, within: &sparseAllowance)
                for name in node.output where !name.isEmpty {
                    let id = try declare(name)
                    guard let constant else { continue }
                    builder.setConstant(id, constant)
                    builder.updateValue(id) { $0.documentation = node.docString }
                    constantNodes.insert(position)
                }
            }
        }
        return constantNodes
    }

    private mutating func add(_ message: NodeProto, at position: Int) throws(ONNXError) {
        guard !message.opType.isEmpty else { throw ONNXError(.invalidStructure("it names no operator")) }
        var attributes: [String: Attribute] = [:]
        for attribute in message.attribute {
            try locating("attribute '\(attribute.name)'") { () throws(ONNXError) in
                guard attributes[attribute.name] == nil else {
                    throw ONNXError(.invalidStructure("it is given twice"))
                }
                attributes[attribute.name] = try tensors.read(attribute)
            }
        }
        let names = SubgraphNames(of: message)
        reservedNames.formUnion(names.defined)
        var node = Node(
            id: NodeID(index: position), name: message.name,
            operatorName: OperatorName(message.opType, domain: message.domain),
            inputs: message.input.map { $0.isEmpty ? nil : identity(of: $0) },
            outputs: message.output.map { $0.isEmpty ? nil : identity(of: $0) },
            attributes: attributes, capturedValues: names.captured.map { identity(of: $0) },
            documentation: message.docString)
        node.unknownFields = message.unknownBytes
        builder.add(node)
    }
}

extension NodeProto {
    /// How messages refer to the node; the same as ``Node/label``.
    fileprivate func label(at position: Int) -> String {
        "node '\(name.isEmpty ? "\(OperatorName(opType, domain: domain))#\(position)" : name)'"
    }
}
