import EspalierGraphs
import EspalierONNX
import EspalierTensors
import Foundation
import SwiftProtobuf
import Testing

/// External data: what is refused, and that errors say so.
struct ExternalDataTests {
    /// A folder with `inside/model.onnx`, whose one weight (2 floats) has `entries`, and a secret beside `inside`.
    private static func load(
        _ entries: [(String, String)], prepare: (TemporaryFolder) throws -> Void = { _ in }
    ) throws -> Graph {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path("inside/deeper"), withIntermediateDirectories: true)
        try folder.write([UInt8](repeating: 7, count: 16), to: "secret.bin")
        try folder.write([UInt8](repeating: 0, count: 12), to: "inside/weights.bin")
        try prepare(folder)
        var weight = TensorProto()
        weight.name = "weight"
        weight.dataType = 1
        weight.dims = [2]
        weight.dataLocation = .external
        weight.externalData = entries.map { key, value in
            var entry = StringStringEntryProto()
            entry.key = key
            entry.value = value
            return entry
        }
        var model = ModelProto()
        model.graph.initializer = [weight]
        var output = ValueInfoProto()
        output.name = "weight"
        model.graph.output = [output]
        try folder.write(try model.serializedBytes(), to: "inside/model.onnx")
        return try ONNXModel.load(from: folder.path("inside/model.onnx"))
    }

    @Test(arguments: [
        "../secret.bin", "deeper/../../secret.bin", "/etc/hostname", "..", "/", "weights.bin\0.txt", "",
        "deeper/..", "../inside/weights.bin", "missing.bin", "deeper", "link.bin", "linked/secret.bin", ".",
    ]) func locationsOutsideTheFolderAreRefused(location: String) throws {
        let error = try onnxError {
            _ = try Self.load([("location", location)]) { folder in
                let files = FileManager.default
                try files.createSymbolicLink(
                    atPath: folder.path("inside/link.bin"), withDestinationPath: "../secret.bin")
                try files.createSymbolicLink(atPath: folder.path("inside/linked"), withDestinationPath: "..")
            }
        }
        guard case .externalData = error.reason else {
            Issue.record("\(error)")
            return
        }
        #expect(error.element == "initializer 'weight'")
    }

    @Test(arguments: ["weights.bin", "./weights.bin", "link.bin", "deeper/same/weights.bin"])
    func locationsInsideTheFolderAreRead(location: String) throws {
        let graph = try Self.load([("location", location)]) { folder in
            let files = FileManager.default
            try files.createSymbolicLink(
                atPath: folder.path("inside/link.bin"), withDestinationPath: "weights.bin")
            try files.createSymbolicLink(atPath: folder.path("inside/deeper/same"), withDestinationPath: "..")
        }
        #expect(try graph.constant("weight").scalars(as: Float.self) == [0, 0])
    }

    @Test(
        arguments: [
            ("8", "8"), ("0", "16"), ("13", "0"), ("-4", "8"), ("4", "-8"), ("9223372036854775807", "8"),
            ("1e3", "8"),
            ("0", "99999999999999999999"), ("0", "4"), ("5", nil), ("8", "4"),
        ] as [(String, String?)]) func rangesOutsideTheFileAreRefused(offset: String, length: String?) throws
    {
        let error = try onnxError {
            _ = try Self.load(
                [("location", "weights.bin"), ("offset", offset)] + (length.map { [("length", $0)] } ?? []))
        }
        switch error.reason {
        case .externalData, .wrongDataLength: break
        default: Issue.record("\(error)")
        }
    }

    @Test func aModelInMemoryHasNoFolderUnlessGivenOne() throws {
        let bytes = try Fixture.bytes("external")
        let error = try onnxError { _ = try ONNXModel.load(bytes: bytes) }
        guard case .externalData = error.reason else {
            Issue.record("\(error)")
            return
        }
        let graph = try ONNXModel.load(bytes: bytes, baseDirectory: Fixture.folder)
        #expect(graph.constants.count == 3)
    }

    @Test func aClaimOfMoreThanTheFileHoldsAllocatesNothing() throws {
        var model = try Fixture.message("external")
        // 2^39 bytes, which would exhaust the machine.
        model.graph.initializer[1].dims = [1 << 37]
        let bytes: [UInt8] = try model.serializedBytes()
        let error = try onnxError { _ = try ONNXModel.load(bytes: bytes, baseDirectory: Fixture.folder) }
        #expect(error.reason == .wrongDataLength(expected: 1 << 39, found: 12))
    }

    @Test func errorsNameFileTensorAndRemedy() throws {
        let error = try onnxError { _ = try Self.load([("location", "weights.data")]) }
        #expect(
            error.description.hasSuffix(
                "model.onnx: initializer 'weight': external data: no file 'weights.data' beside the model; "
                    + "copy it there"))
    }

    /// Large data are read when they are used, also after the file lost its name; at once where kernels could not use them as
    /// they lie.
    @Test(arguments: [(offset: 4096, isMapped: true), (64, true), (4100, false)])
    func largeDataAreMapped(_ place: (offset: Int, isMapped: Bool)) throws {
        let numbers = (0..<50_000).map { Float($0) }
        let bytes = [UInt8](repeating: 7, count: place.offset) + numbers.withUnsafeBytes { [UInt8]($0) }
        let folder = try TemporaryFolder()
        try folder.write(bytes, to: "weights.bin")
        var model = ModelProto()
        var weight = TensorProto()
        weight.name = "weight"
        weight.dataType = 1
        weight.dims = [Int64(numbers.count)]
        weight.dataLocation = .external
        weight.externalData = [("location", "weights.bin"), ("offset", "\(place.offset)")].map { key, value in
            var entry = StringStringEntryProto()
            entry.key = key
            entry.value = value
            return entry
        }
        model.graph.initializer = [weight]
        var output = ValueInfoProto()
        output.name = "weight"
        model.graph.output = [output]
        try folder.write(try model.serializedBytes(), to: "model.onnx")
        let graph = try ONNXModel.load(from: folder.path("model.onnx"))
        try FileManager.default.removeItem(atPath: folder.path("weights.bin"))
        let tensor = try #require(graph.constants.values.first)
        #expect(tensor.storage.isReadOnly == place.isMapped)
        #expect(tensor.scalars(as: Float.self) == numbers)
    }
}
