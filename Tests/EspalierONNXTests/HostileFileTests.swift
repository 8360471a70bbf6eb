import EspalierGraphs
import EspalierONNX
import EspalierTensors
import Foundation
import SwiftProtobuf
import Testing

/// Files that claim what is not so. Each must be refused, by a reason that says what is wrong.
struct HostileFileTests {
    /// A sound model (x times weight), changed by `change`, and the error it then gives.
    private static func refusal(_ change: (inout ModelProto) throws -> Void) throws -> ONNXError {
        var model = ModelProto()
        model.irVersion = 8
        model.graph.name = "hostile"
        model.graph.input = [declaration("x")]
        model.graph.output = [declaration("y")]
        var weight = TensorProto()
        weight.name = "weight"
        weight.dataType = 1
        weight.dims = [2]
        weight.rawData = Data(repeating: 0, count: 8)
        model.graph.initializer = [weight]
        model.graph.node = [node("product", "Mul", ["x", "weight"], ["y"])]
        #expect(throws: Never.self) { try ONNXModel.load(bytes: try model.serializedBytes()) }
        try change(&model)
        return try onnxError { _ = try ONNXModel.load(bytes: try model.serializedBytes()) }
    }

    private static func declaration(_ name: String) -> ValueInfoProto {
        var info = ValueInfoProto()
        info.name = name
        info.type.tensorType.elemType = 1
        return info
    }

    private static func node(
        _ name: String, _ type: String, _ inputs: [String], _ outputs: [String]
    ) -> NodeProto {
        var node = NodeProto()
        node.name = name
        node.opType = type
        node.input = inputs
        node.output = outputs
        return node
    }

    @Test(
        arguments: [
            [-2], [1 << 62], [1 << 30, 1 << 30], [.max, .max, .max, .max], [0, 1 << 50], [3, -1], [1 << 41],
        ] as [[Int64]]) func impossibleDimensions(dimensions: [Int64]) throws
    {
        let error = try Self.refusal { $0.graph.initializer[0].dims = dimensions }
        #expect(error.reason == .invalidShape(dimensions: dimensions))
        #expect(error.element == "initializer 'weight'")
    }

    @Test(arguments: [[1000, 1000, 1000], [3], [1], []] as [[Int64]])
    func dimensionsThatTheDataDoNotFill(dimensions: [Int64]) throws {
        let error = try Self.refusal { $0.graph.initializer[0].dims = dimensions }
        let expected = Int(dimensions.reduce(1, *)) * 4
        #expect(error.reason == .wrongDataLength(expected: expected, found: 8))
    }

    @Test func typedDataOfAnotherLengthTypeOrRange() throws {
        let length = try Self.refusal {
            $0.graph.initializer[0].clearRawData()
            $0.graph.initializer[0].floatData = [1, 2, 3]
        }
        #expect(length.reason == .wrongDataLength(expected: 8, found: 12))
        let field = try Self.refusal {
            $0.graph.initializer[0].clearRawData()
            $0.graph.initializer[0].doubleData = [1, 2]
        }
        #expect(field.reason == .wrongDataLength(expected: 8, found: 0))
        let range = try Self.refusal {
            $0.graph.initializer[0].clearRawData()
            $0.graph.initializer[0].dataType = Int32(TensorProto.DataType.int8.rawValue)
            $0.graph.initializer[0].int32Data = [1, 300]
        }
        #expect(range.reason == .invalidData("the element 300 does not fit int8"))
        let twice = try Self.refusal { $0.graph.initializer[0].floatData = [1, 2] }
        #expect(twice.reason == .invalidData("it has raw data and typed data"))
        let segment = try Self.refusal { $0.graph.initializer[0].segment.end = 1 }
        guard case .invalidStructure = segment.reason else {
            Issue.record("\(segment)")
            return
        }
    }

    @Test func tensorsWithoutATypeOrName() throws {
        let type = try Self.refusal { $0.graph.initializer[0].dataType = 0 }
        #expect(type.reason == .unsupportedElementType(code: 0))
        let name = try Self.refusal { $0.graph.initializer[0].clearName() }
        guard case .invalidStructure = name.reason else {
            Issue.record("\(name)")
            return
        }
    }

    @Test func hugeDeclaredTypes() throws {
        let error = try Self.refusal { model in
            model.graph.input[0].type.tensorType.shape.dim = ([1 << 40, 1 << 40] as [Int64]).map { extent in
                var dimension = TensorShapeProto.Dimension()
                dimension.dimValue = extent
                return dimension
            }
        }
        #expect(error.reason == .invalidShape(dimensions: [1 << 40, 1 << 40]))
        #expect(error.element == "value 'x'")
    }

    @Test func brokenGraphs() throws {
        let cycle = try Self.refusal {
            $0.graph.node = [
                Self.node("a", "Add", ["x", "right"], ["left"]), Self.node("b", "Neg", ["left"], ["right"]),
                Self.node("c", "Neg", ["right"], ["y"]),
            ]
        }
        #expect(cycle.reason == .invalidGraph(.cycle(nodes: ["a", "b", "c"])))
        let missing = try Self.refusal { $0.graph.node[0].input[1] = "nowhere" }
        #expect(
            missing.reason == .invalidGraph(.undefinedValue(name: "nowhere", usedBy: "node 'product'")))
        let output = try Self.refusal { $0.graph.output[0].name = "nowhere" }
        guard case .invalidGraph(.undefinedValue(name: "nowhere", usedBy: _)) = output.reason else {
            Issue.record("\(output)")
            return
        }
        let changes: [(inout ModelProto) -> Void] = [
            { $0.graph.node[0].output = ["x"] },
            { $0.graph.node.append(Self.node("second", "Neg", ["x"], ["y"])) },
            { $0.graph.node[0].output = ["weight"] },
            { $0.graph.input.append($0.graph.input[0]) },
            { $0.graph.initializer.append($0.graph.initializer[0]) },
        ]
        for change in changes {
            let error = try Self.refusal(change)
            guard case .invalidGraph(.severalProducers) = error.reason else {
                Issue.record("\(error)")
                continue
            }
        }
    }

    @Test func nodesAndModelsThatLackParts() throws {
        let changes: [(inout ModelProto) -> Void] = [
            { $0.graph.node[0].clearOpType() },
            { $0.graph.input[0].clearName() },
            { $0.graph.output[0].clearName() },
            { model in
                var attribute = AttributeProto()
                attribute.name = "axis"
                model.graph.node[0].attribute = [attribute, attribute]
            },
            { model in
                var attribute = AttributeProto()
                attribute.name = "value"
                attribute.type = .tensor
                model.graph.node[0].attribute = [attribute]
            },
            { model in
                for version in [7, 8] {
                    var set = OperatorSetIdProto()
                    set.version = Int64(version)
                    model.opsetImport.append(set)
                }
            },
        ]
        for change in changes {
            let error = try Self.refusal(change)
            guard case .invalidStructure = error.reason else {
                Issue.record("\(error)")
                continue
            }
        }
        let empty = try Self.refusal { $0.clearGraph() }
        guard case .malformed = empty.reason else {
            Issue.record("\(empty)")
            return
        }
    }

    @Test func subgraphsThatReadWhatNobodyMakes() throws {
        let error = try Self.refusal { model in
            var attribute = AttributeProto()
            attribute.name = "body"
            attribute.type = .graph
            attribute.g.node = [Self.node("inner", "Neg", ["ghost"], ["result"])]
            model.graph.node[0].attribute = [attribute]
        }
        #expect(
            error.reason == .invalidGraph(.undefinedValue(name: "ghost", usedBy: "node 'product'")))
    }

    @Test func subgraphsNestedTooDeeply() throws {
        // Written by hand, from the inside out: the encoder would be as deep as the file.
        func field(_ number: Int, _ body: [UInt8]) -> [UInt8] {
            var bytes: [UInt8] = []
            for var value in [number << 3 | 2, body.count] {
                while value > 127 {
                    bytes.append(UInt8(value & 127 | 128))
                    value >>= 7
                }
                bytes.append(UInt8(value))
            }
            return bytes + body
        }
        var graph: [UInt8] = []
        for _ in 0..<2000 { graph = field(1, field(5, field(6, graph))) }
        let error = try onnxError { _ = try ONNXModel.load(bytes: field(7, graph)) }
        guard case .malformed(let detail) = error.reason else {
            Issue.record("\(error)")
            return
        }
        #expect(detail.contains("nested"))
    }

    @Test func namesThatAreNotText() throws {
        var bytes = try Fixture.bytes("convolutional")
        let wanted = Array("linear.weight".utf8)
        for start in bytes.indices where bytes[start...].starts(with: wanted) { bytes[start + 3] = 0xFF }
        let error = try onnxError { _ = try ONNXModel.load(bytes: bytes) }
        #expect(error.description.contains("UTF-8"))
    }

    @Test func filesThatAreNoModels() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "empty.onnx")
        try folder.write(Array("PK\u{3}\u{4} this is an archive".utf8), to: "archive.onnx")
        for name in ["empty.onnx", "archive.onnx"] {
            let error = try onnxError { _ = try ONNXModel.load(from: folder.path(name)) }
            #expect(error.file == folder.path(name))
            guard case .malformed = error.reason else {
                Issue.record("\(error)")
                continue
            }
        }
        for path in [folder.path("nowhere.onnx"), folder.path, "/dev/null", "bad\0name"] {
            let error = try onnxError { _ = try ONNXModel.load(from: path) }
            guard case .unreadable = error.reason else {
                Issue.record("\(error)")
                continue
            }
        }
    }

    @Test func filesBeyondTwoGibibytesAreNotRead() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "huge.onnx")
        let file = try FileHandle(forWritingTo: URL(filePath: folder.path("huge.onnx")))
        try file.truncate(atOffset: 5 << 30)
        try file.close()
        let error = try onnxError { _ = try ONNXModel.load(from: folder.path("huge.onnx")) }
        #expect(error.reason == .tooLarge(byteCount: 5 << 30))
    }
}
