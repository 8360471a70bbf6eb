import EspalierGraphs

/// Turns the bytes of a .onnx file into a ``Graph``.
enum ModelReader {
    static func read(_ bytes: [UInt8], external: ExternalDataReader) throws(ONNXError) -> Graph {
        var model = try decode(ModelProto.self, from: bytes)
        guard model.hasGraph else { throw ONNXError(.malformed("it contains no graph")) }
        var message = GraphProto()
        swap(&message, &model.graph)
        let opsetVersions = try versions(model.opsetImport)
        let information = try information(of: &model, external: external)
        let metadata = model.metadataProps.dictionary
        return try GraphReader.read(&message, tensors: TensorReader(external: external)) { graph in
            graph.opsetVersions = opsetVersions
            graph.metadata = metadata
            graph.modelInformation = information
        }
    }

    /// Operator set versions by domain. The standard domain's two spellings are one.
    private static func versions(_ sets: [OperatorSetIdProto]) throws(ONNXError) -> [String: Int] {
        var versions: [String: Int] = [:]
        for set in sets {
            let domain = OperatorName("", domain: set.domain).domain
            let version = Int(set.version)
            guard versions[domain] == nil || versions[domain] == version else {
                throw ONNXError(
                    .invalidStructure("operator set '\(set.domain)' is imported in several versions"))
            }
            versions[domain] = version
        }
        return versions
    }

    private static func information(
        of model: inout ModelProto, external: ExternalDataReader
    ) throws(ONNXError) -> ModelInformation {
        var information = ModelInformation(irVersion: Int(model.irVersion))
        information.producerName = model.producerName
        information.producerVersion = model.producerVersion
        information.domain = model.domain
        information.modelVersion = Int(model.modelVersion)
        information.documentation = model.docString
        // What remains when everything that the graph holds is taken away, unknown fields included.
        var rest = model
        rest.clearIrVersion()
        rest.clearProducerName()
        rest.clearProducerVersion()
        rest.clearDomain()
        rest.clearModelVersion()
        rest.clearDocString()
        rest.clearGraph()
        rest.opsetImport = []
        rest.metadataProps = []
        try external.inlineCarriedParts(of: &rest)
        information.unknownModelFields = try encode(rest)
        return information
    }
}
