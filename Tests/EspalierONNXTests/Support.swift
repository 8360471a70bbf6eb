import EspalierGraphs
import EspalierONNX
import EspalierTensors
import Foundation
import SwiftProtobuf
import Testing

/// The files that Tools/goldens/make_onnx_fixtures.py wrote.
enum Fixture {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path

    static let models = [
        "captured", "constants", "convolutional", "dtypes_raw", "dtypes_typed", "external",
        "external_subgraph",
        "information", "old_ir3", "optionals", "signed", "sparse", "sparse_forms", "strings", "symbolic",
        "unknown_domain",
    ]

    /// Of more data than structure: for round trips, not for damage.
    static let larger = ["pruned"]

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    static func load(_ name: String) throws -> Graph {
        try ONNXModel.load(from: path("\(name).onnx"))
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path("\(name).onnx"))))
    }

    static func message(_ name: String) throws -> ModelProto {
        try ModelProto(serializedBytes: try bytes(name))
    }
}

/// A folder that is removed with all that is in it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appending(path: "espalier-onnx-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: path(name)))
    }

    var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}

extension Graph {
    /// The constant called `name`.
    func constant(_ name: String) throws -> Tensor {
        let id = try #require(value(named: name)?.id)
        return try #require(constants[id])
    }

    func type(_ name: String) -> ValueType? { value(named: name)?.type }

    func node(_ name: String) throws -> Node {
        try #require(nodes.first { $0.name == name })
    }

    func names(_ ids: [ValueID?]) -> [String?] { ids.map { $0.map(name(of:)) } }

    /// Everything in the graph in words, independent of the numbers of identities, for comparison.
    var summary: [String] {
        func text(_ tensor: Tensor) -> String {
            "\(tensor.dtype) \(tensor.shape) \(tensor.withUnsafeBytes { Array($0) })"
        }
        func text(_ attribute: Attribute) -> String {
            if case .tensor(let tensor) = attribute { return text(tensor) }
            return "\(attribute)"
        }
        var lines = [
            "\(name) \(opsetVersions.sorted { $0.key < $1.key }) \(metadata.sorted { $0.key < $1.key })"
        ]
        lines.append("inputs \(names(inputs)), outputs \(names(outputs))")
        lines += nodes.map { node in
            let attributes = node.attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\(text($0.value))" }
            return
                "\(node.name) \(node.operatorName) \(names(node.inputs)) \(names(node.outputs)) \(attributes) "
                + "\(names(node.capturedValues)) \(node.documentation) \(node.unknownFields)"
        }
        lines += values.values.map { value in
            "\(value.name) \(String(describing: value.type)) \(value.opaqueType ?? []) \(value.documentation) "
                + "\(value.unknownFields) \(value.unknownTensorFields)"
        }.sorted()
        lines += constants.map { "\(name(of: $0.key)) \(text($0.value))" }.sorted()
        lines += opaqueConstants.map { "\(name(of: $0.key)) \($0.value.kind) \($0.value.bytes)" }.sorted()
        let information = modelInformation
        lines.append(
            "\(information.producerName) \(information.producerVersion) \(information.domain) "
                + "\(information.modelVersion) \(information.documentation) \(information.graphDocumentation) "
                + "\(information.unknownModelFields) \(information.unknownGraphFields) "
                + "\(information.reservedNames.sorted())")
        return lines
    }
}

/// The error `body` throws; a failed expectation if it throws none or another kind.
func onnxError(_ body: () throws -> Void) throws -> ONNXError {
    try #require(#expect(throws: ONNXError.self) { try body() })
}

// The message types are internal to EspalierONNX; `onnx.pb.swift` here is a link to them, compiled once more.

extension TensorProto {
    /// The value of an `external_data` entry.
    func externalEntry(_ key: String) -> String? {
        externalData.first { $0.key == key }?.value
    }
}

extension Message {
    /// The fields that the schema does not declare, in wire format.
    var unknownBytes: [UInt8] { [UInt8](unknownFields.data) }
}
