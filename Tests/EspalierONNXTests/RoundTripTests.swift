import EspalierGraphs
import EspalierONNX
import EspalierTensors
import Foundation
import SwiftProtobuf
import Testing

struct RoundTripTests {
    @Test(arguments: Fixture.models + Fixture.larger) func exportAndImportGiveTheSameGraph(
        name: String
    ) throws {
        let graph = try Fixture.load(name)
        let bytes = try ONNXModel.serialized(graph)
        let again = try ONNXModel.load(bytes: bytes)
        #expect(again.summary == graph.summary)
        #expect(try ONNXModel.serialized(again) == bytes)
    }

    @Test func exportKeepsFieldsNobodyKnows() throws {
        let original = try Fixture.message("unknown_domain")
        let written = try ModelProto(
            serializedBytes: try ONNXModel.serialized(try Fixture.load("unknown_domain")))
        #expect(written.unknownFields == original.unknownFields)
        #expect(written.graph.unknownFields == original.graph.unknownFields)
        #expect(
            written.graph.node
                == original.graph.node.map { node in
                    var node = node
                    node.attribute.sort { $0.name < $1.name }
                    return node.withRawTensorAttributes
                })
        #expect(written.graph.input == original.graph.input)
    }

    @Test func exportKeepsFunctionsAndDenotations() throws {
        let information = try Fixture.message("information")
        let written = try ModelProto(
            serializedBytes: try ONNXModel.serialized(try Fixture.load("information")))
        #expect(written.functions == information.functions)
        #expect(written.graph.initializer == information.graph.initializer)
        #expect(written.graph.valueInfo == information.graph.valueInfo)
        #expect(written.metadataProps == information.metadataProps)
        let symbolic = try Fixture.message("symbolic")
        let declared = try ModelProto(serializedBytes: try ONNXModel.serialized(try Fixture.load("symbolic")))
        #expect(declared.graph.input == symbolic.graph.input)
    }

    @Test func newShapesOfDenotedValuesAreWritten() throws {
        let graph = try Fixture.load("symbolic")
        var patch = Patch(for: graph)
        patch.append(.setType(graph.inputs[0], ValueType(dtype: .float32, shape: [2, 3, 8])))
        let bytes = try ONNXModel.serialized(try graph.applying(patch))
        let type = try ModelProto(serializedBytes: bytes).graph.input[0].type
        #expect(type.tensorType.shape.dim.map(\.dimValue) == [2, 3, 8])
        #expect(type.unknownBytes.contains(subsequence: "IMAGE"))
    }

    @Test func oldModelsAreRaisedToAVersionThatAllowsIt() throws {
        let written = try ModelProto(serializedBytes: try ONNXModel.serialized(try Fixture.load("old_ir3")))
        #expect(written.irVersion == 4)
        #expect(written.graph.input.map(\.name) == ["x"])
        #expect(written.opsetImport.map(\.version) == [7])
        let recent = try ModelProto(serializedBytes: try ONNXModel.serialized(try Fixture.load("constants")))
        #expect(recent.irVersion == 8)
    }

    @Test func builtGraphsGetWhatReadersInsistOn() throws {
        var builder = GraphBuilder(name: "", opset: 17)
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [2]))
        let y = builder.node("Odd", domain: "org.example", inputs: [x], attributes: ["mode": .text("fast")])
        let written = try ModelProto(
            serializedBytes: try ONNXModel.serialized(try builder.finish(outputs: [y])))
        #expect(written.opsetImport.map(\.domain) == ["", "org.example"])
        #expect(!written.graph.name.isEmpty)
        #expect(written.graph.node[0].attribute[0].type == .string)
    }
}

struct WritingTests {
    @Test func writingReplacesTheFileAndLeavesNothingElse() throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "model.onnx")
        let graph = try Fixture.load("convolutional")
        try ONNXModel.write(graph, to: folder.path("model.onnx"))
        #expect(try folder.files == ["model.onnx"])
        #expect(try ONNXModel.load(from: folder.path("model.onnx")).summary == graph.summary)
    }

    @Test func stagedModelsAreReadBackAndDropped() throws {
        let folder = try TemporaryFolder()
        let graph = try Self.wide()
        for weights in [ONNXExportOptions.WeightStorage.inside, .external] {
            do {
                let options = ONNXExportOptions(weights: weights)
                let staged = try ONNXModel.stage(graph, at: folder.path("model.onnx"), options: options)
                #expect(try staged.reimported().summary == graph.summary)
            }
            #expect(try folder.files == [])
        }
    }

    @Test func weightsGoToASecondFile() throws {
        let folder = try TemporaryFolder()
        let graph = try Self.wide()
        try ONNXModel.write(
            graph, to: folder.path("model.onnx"), options: ONNXExportOptions(weights: .external))
        #expect(try folder.files == ["model.onnx", "model.onnx.data"])
        #expect(try ONNXModel.load(from: folder.path("model.onnx")).summary == graph.summary)
        let written = try ModelProto(
            serializedBytes: try Data(contentsOf: URL(filePath: folder.path("model.onnx"))))
        let placed = written.graph.initializer.filter { $0.dataLocation == .external }
        #expect(placed.map(\.name) == ["first", "second"])
        let offsets = placed.map { $0.externalEntry("offset") }
        #expect(offsets == ["0", "8192"])
        #expect(written.graph.initializer.first { $0.name == "small" }?.rawData.count == 4)
    }

    @Test func weightsBeyondTheLimitGoToASecondFileByThemselves() throws {
        let folder = try TemporaryFolder()
        var options = ONNXExportOptions()
        options.insideByteLimit = 10_000
        try ONNXModel.write(try Self.wide(), to: folder.path("model.onnx"), options: options)
        #expect(try folder.files == ["model.onnx", "model.onnx.data"])
        options.insideByteLimit = 20_000
        try ONNXModel.write(try Self.wide(), to: folder.path("inside.onnx"), options: options)
        #expect(try folder.files == ["inside.onnx", "model.onnx", "model.onnx.data"])
    }

    @Test func aFolderThatDoesNotExistIsAnError() throws {
        let folder = try TemporaryFolder()
        let error = try onnxError {
            try ONNXModel.write(try Fixture.load("symbolic"), to: folder.path("missing/model.onnx"))
        }
        #expect(error.file == folder.path("missing/model.onnx"))
        guard case .unwritable = error.reason else {
            Issue.record("\(error)")
            return
        }
    }

    /// Two constants above the size at which they may leave the model, and one below.
    private static func wide() throws -> Graph {
        var builder = GraphBuilder(name: "wide")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 40]))
        let first = builder.constant("first", Tensor(shape: [40, 50], scalars: (0..<2000).map(Float.init)))
        let second = builder.constant(
            "second", Tensor(shape: [50, 30], scalars: (0..<1500).map { -Float($0) }))
        let small = builder.constant("small", Tensor(Float(3)))
        let hidden = builder.node("MatMul", name: "one", inputs: [x, first])
        let product = builder.node("MatMul", name: "two", inputs: [hidden, second])
        let y = builder.node("Mul", name: "three", inputs: [product, small])
        return try builder.finish(outputs: [y])
    }
}

extension NodeProto {
    /// The node as this software writes it: tensor attributes without names of their own.
    fileprivate var withRawTensorAttributes: NodeProto {
        var node = self
        for position in node.attribute.indices where node.attribute[position].hasT {
            if node.attribute[position].t.dataType != 8 { node.attribute[position].t.clearName() }
        }
        return node
    }
}
