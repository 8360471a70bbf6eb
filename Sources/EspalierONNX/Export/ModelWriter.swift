import EspalierGraphs
import EspalierTensors
import Foundation

/// Turns a ``Graph`` into a model message.
///
/// Each message starts from the unknown fields that were imported with it, and gets the known ones on top.
struct ModelWriter {
    enum Placement {
        case inside
        case external(ExternalDataLayout)
    }

    let graph: Graph
    let placement: Placement
    let sparse: SparseSelection

    /// Initializers that are not inputs exist since the first of these versions, sparse ones since the second.
    private static let (oldestIRVersion, oldestSparseIRVersion) = (4, 6)

    func message() throws(ONNXError) -> ModelProto {
        let information = graph.modelInformation
        if case .inside = placement {
            // Before the tensors are copied in vain.
            let byteCount = sparse.insideByteCount(of: graph)
            if byteCount > messageByteLimit { throw ONNXError(.tooLarge(byteCount: byteCount)) }
        }
        var model = try decode(ModelProto.self, from: information.unknownModelFields)
        if !information.producerName.isEmpty { model.producerName = information.producerName }
        if !information.producerVersion.isEmpty { model.producerVersion = information.producerVersion }
        if !information.domain.isEmpty { model.domain = information.domain }
        if information.modelVersion != 0 { model.modelVersion = Int64(information.modelVersion) }
        if !information.documentation.isEmpty { model.docString = information.documentation }
        model.opsetImport = operatorSets()
        model.metadataProps = [StringStringEntryProto](graph.metadata)
        let message = try graphMessage()
        let oldest = message.sparseInitializer.isEmpty ? Self.oldestIRVersion : Self.oldestSparseIRVersion
        model.irVersion = Int64(Swift.max(information.irVersion, oldest))
        model.graph = message
        return model
    }

    /// The imports of the file, and of every domain that a node is in: readers insist on that.
    private func operatorSets() -> [OperatorSetIdProto] {
        var versions = graph.opsetVersions
        for name in graph.nodes.map(\.operatorName) where versions[name.domain] == nil {
            versions[name.domain] = graph.opsetVersion(of: name)
        }
        if versions.isEmpty { versions[""] = graph.opsetVersion(of: OperatorName("")) }
        return versions.sorted { $0.key < $1.key }.map { domain, version in
            var set = OperatorSetIdProto()
            set.domain = domain
            set.version = Int64(version)
            return set
        }
    }

    private func graphMessage() throws(ONNXError) -> GraphProto {
        var message = try decode(GraphProto.self, from: graph.modelInformation.unknownGraphFields)
        // The specification demands a name.
        message.name = graph.name.isEmpty ? "main" : graph.name
        let documentation = graph.modelInformation.graphDocumentation
        if !documentation.isEmpty { message.docString = documentation }
        for id in graph.inputs { message.input.append(try declaration(of: id)) }
        for id in graph.outputs { message.output.append(try declaration(of: id)) }
        message.valueInfo = try intermediateDeclarations()
        for node in graph.nodes {
            message.node.append(
                try locating("node '\(node.label)'") { () throws(ONNXError) in try nodeMessage(node) })
        }
        for (id, tensor) in graph.constants.sorted(by: { $0.key < $1.key }) {
            if sparse.ids.contains(id),
                let stored = SparseTensorProto(storing: tensor, header: try graph.initializerHeader(of: id))
            {
                message.sparseInitializer.append(stored)
            } else {
                message.initializer.append(try initializer(id, tensor))
            }
        }
        for (id, constant) in graph.opaqueConstants.sorted(by: { $0.key < $1.key }) {
            switch constant.kind {
            case .tensor:
                var tensor = try decode(TensorProto.self, from: constant.bytes)
                tensor.name = try graph.writableName(of: id)
                message.initializer.append(tensor)
            case .sparseTensor:
                var tensor = try decode(SparseTensorProto.self, from: constant.bytes)
                tensor.values.name = try graph.writableName(of: id)
                message.sparseInitializer.append(tensor)
            }
        }
        return message
    }

    // MARK: Values

    private func declaration(of id: ValueID) throws(ONNXError) -> ValueInfoProto {
        guard let value = graph.values[id] else { throw ONNXError(.invalidGraph(.unknownValue(id))) }
        var info = try decode(ValueInfoProto.self, from: value.unknownFields)
        info.name = try graph.writableName(of: id)
        if let type = try TypeProto(of: value) { info.type = type }
        if !value.documentation.isEmpty { info.docString = value.documentation }
        return info
    }

    /// Declarations of the values that are neither inputs, outputs nor constants, where there is something to say.
    private func intermediateDeclarations() throws(ONNXError) -> [ValueInfoProto] {
        let declared = Set(graph.inputs).union(graph.outputs).union(graph.constants.keys)
            .union(graph.opaqueConstants.keys)
        var result: [ValueInfoProto] = []
        for id in graph.values.keys.sorted() where !declared.contains(id) {
            let info = try declaration(of: id)
            if info.hasType || info.hasDocString || !info.unknownBytes.isEmpty { result.append(info) }
        }
        return result
    }

    private func initializer(_ id: ValueID, _ tensor: Tensor) throws(ONNXError) -> TensorProto {
        var message = try graph.initializerHeader(of: id)
        if case .external(let layout) = placement, let offset = layout.offsets[id] {
            message.fillHeader(of: tensor)
            message.dataLocation = .external
            // In the order that other software writes them.
            for (key, text) in [
                ("location", layout.location), ("offset", "\(offset)"), ("length", "\(tensor.byteCount)"),
            ] {
                var entry = StringStringEntryProto()
                entry.key = key
                entry.value = text
                message.externalData.append(entry)
            }
        } else {
            message.fill(from: tensor)
        }
        return message
    }

    // MARK: Nodes

    private func nodeMessage(_ node: Node) throws(ONNXError) -> NodeProto {
        var message = try decode(NodeProto.self, from: node.unknownFields)
        if !node.name.isEmpty { message.name = node.name }
        message.opType = node.operatorName.type
        if !node.operatorName.domain.isEmpty { message.domain = node.operatorName.domain }
        if !node.documentation.isEmpty { message.docString = node.documentation }
        for id in node.inputs { message.input.append(try id.map(graph.writableName(of:)) ?? "") }
        for id in node.outputs { message.output.append(try id.map(graph.writableName(of:)) ?? "") }
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            message.attribute.append(
                try locating("attribute '\(name)'") { () throws(ONNXError) in
                    try AttributeProto(name: name, attribute)
                })
        }
        return message
    }
}

extension AttributeProto {
    /// The message for an attribute; an opaque one is decoded again.
    fileprivate init(name: String, _ attribute: Attribute) throws(ONNXError) {
        self.init()
        switch attribute {
        case .int(let value): (type, i) = (.int, value)
        case .float(let value): (type, f) = (.float, value)
        case .string(let bytes): (type, s) = (.string, Data(bytes))
        case .ints(let values): (type, ints) = (.ints, values)
        case .floats(let values): (type, floats) = (.floats, values)
        case .strings(let values): (type, strings) = (.strings, values.map { Data($0) })
        case .tensor(let tensor):
            type = .tensor
            t.fill(from: tensor)
        case .opaque(let bytes): self = try decode(AttributeProto.self, from: bytes)
        }
        self.name = name
    }
}

extension TypeProto {
    /// The declared type of `value`, nil if there is none.
    fileprivate init?(of value: Value) throws(ONNXError) {
        self = try decode(TypeProto.self, from: value.opaqueType ?? [])
        guard let type = value.type else {
            if value.opaqueType == nil { return nil }
            return
        }
        tensorType.elemType = type.dtype.onnxCode
        guard let dimensions = type.dimensions else {
            tensorType.clearShape()
            return
        }
        // What is unknown about an axis stays as long as there are as many axes.
        let former = tensorType.shape.dim
        tensorType.shape.dim = dimensions.enumerated().map { axis, dimension in
            var message = former.count == dimensions.count ? former[axis] : TensorShapeProto.Dimension()
            message.value =
                switch dimension {
                case .fixed(let extent): .dimValue(Int64(extent))
                case .symbolic(let name): .dimParam(name)
                case .unknown: nil
                }
            return message
        }
        if dimensions.isEmpty { tensorType.shape = TensorShapeProto() }
    }
}
