import EspalierGraphs
import EspalierONNX
import EspalierTensors
import Foundation
import SwiftProtobuf
import Testing

/// Sparse tensors of files: which are read, and which are refused and why.
struct SparseTensorTests {
    /// `y = x weight`, with a sparse `weight` of the shape 2x3 and the values 5 and 6 at the positions 1 and 5, then changed
    /// by `change`.
    private static func load(
        from directory: String? = nil, _ change: (inout ModelProto) throws -> Void
    ) throws -> Graph {
        var model = ModelProto()
        model.irVersion = 8
        model.graph.name = "sparse"
        for name in ["x", "y"] {
            var info = ValueInfoProto()
            info.name = name
            info.type.tensorType.elemType = 1
            if name == "x" { model.graph.input = [info] } else { model.graph.output = [info] }
        }
        var weight = SparseTensorProto()
        weight.dims = [2, 3]
        weight.values.name = "weight"
        weight.values.dataType = 1
        weight.values.dims = [2]
        weight.values.floatData = [5, 6]
        weight.indices.dataType = 7
        weight.indices.dims = [2]
        weight.indices.int64Data = [1, 5]
        model.graph.sparseInitializer = [weight]
        var node = NodeProto()
        node.opType = "Mul"
        node.input = ["x", "weight"]
        node.output = ["y"]
        model.graph.node = [node]
        try change(&model)
        return try ONNXModel.load(bytes: try model.serializedBytes(), baseDirectory: directory)
    }

    private static func refusal(
        _ change: @escaping (inout SparseTensorProto) -> Void
    ) throws -> ONNXError {
        try onnxError { _ = try load { change(&$0.graph.sparseInitializer[0]) } }
    }

    // MARK: What is read

    @Test(arguments: DType.allCases) func bothFormsOfIndicesAreRead(dtype: DType) throws {
        let graph = try Fixture.load("sparse_forms")
        let expected = try graph.constant("\(dtype.rawValue)_dense")
        #expect(expected.nonzeroCount == 5)
        for form in ["raw", "typed"] {
            let tensor = try graph.constant("\(dtype.rawValue)_\(form)")
            #expect(tensor.shape == [3, 2, 4] && tensor.dtype == dtype)
            #expect(tensor.withUnsafeBytes { Array($0) } == expected.withUnsafeBytes { Array($0) })
            #expect(
                graph.type("\(dtype.rawValue)_\(form)") == ValueType(dtype: dtype, shape: [3, 2, 4]))
        }
    }

    @Test func zerosNeedNoValues() throws {
        let zeros = try Fixture.load("sparse_forms").constant("zeros")
        #expect(zeros.shape == [3, 2, 4] && zeros.nonzeroCount == 0)
        let bare = try Self.load { model in
            model.graph.sparseInitializer[0].clearIndices()
            model.graph.sparseInitializer[0].values.floatData = []
            model.graph.sparseInitializer[0].values.dims = [0]
        }
        #expect(try bare.constant("weight").scalars(as: Float.self) == [0, 0, 0, 0, 0, 0])
    }

    @Test func sparseConstantsOfNodesAreRead() throws {
        let graph = try Fixture.load("sparse")
        #expect(try graph.constant("weight").scalars(as: Float.self) == [0, 2, 0, 0, 0, 0, 3, 0])
        #expect(try graph.constant("c").scalars(as: Float.self) == [0, 5])
        #expect(graph.nodes.map(\.name) == ["product", "sum"])
        #expect(graph.opaqueConstants.isEmpty)
    }

    @Test func descriptionsAreKept() throws {
        let graph = try Self.load { $0.graph.sparseInitializer[0].values.docString = "two of six" }
        let again = try ONNXModel.load(bytes: try ONNXModel.serialized(graph))
        #expect(again.value(named: "weight")?.documentation == "two of six")
    }

    /// As strings in ordinary initializers are.
    @Test func sparseStringsAreCarried() throws {
        let graph = try Self.load { model in
            model.graph.sparseInitializer[0].values.dataType = Int32(TensorProto.DataType.string.rawValue)
            model.graph.sparseInitializer[0].values.floatData = []
            model.graph.sparseInitializer[0].values.stringData = [Data("a".utf8), Data("b".utf8)]
        }
        #expect(graph.opaqueConstants.values.map(\.kind) == [.sparseTensor])
        let written = try ModelProto(serializedBytes: try ONNXModel.serialized(graph))
        #expect(written.graph.sparseInitializer.first?.values.stringData.count == 2)
    }

    @Test func externalValuesAreRead() throws {
        let folder = try TemporaryFolder()
        try folder.write([0, 0, 0x20, 0x41, 0, 0, 0xA0, 0x41, 0], to: "values.bin")
        func load(_ location: String) throws -> Graph {
            try Self.load(from: folder.path) { model in
                var entry = StringStringEntryProto()
                entry.key = "location"
                entry.value = location
                model.graph.sparseInitializer[0].values.floatData = []
                model.graph.sparseInitializer[0].values.externalData = [entry]
                model.graph.sparseInitializer[0].values.dataLocation = .external
            }
        }
        #expect(try load("values.bin").constant("weight").scalars(as: Float.self) == [0, 10, 0, 0, 0, 20])
        for location in ["missing.bin", "../values.bin"] {
            let error = try onnxError { _ = try load(location) }
            guard case .externalData = error.reason else {
                Issue.record("\(error)")
                continue
            }
            #expect(error.element == "sparse initializer 'weight', values")
        }
    }

    // MARK: What is refused

    @Test(
        arguments: [
            ([2], [1, 6], "index 6 of value 1 is not from 0 to 5"),
            ([2], [-1, 5], "index -1 of value 0 is not from 0 to 5"),
            ([2], [1, .max], "index \(Int64.max) of value 1 is not from 0 to 5"),
            ([2], [5, 1], "value 1 is at position 1, which does not follow 5: they must ascend"),
            ([2], [5, 5], "value 1 is at position 5, which does not follow 5: they must ascend"),
            ([2, 2], [0, 3, 1, 0], "index 3 of value 0 is not from 0 to 2"),
            ([2, 2], [0, 1, 2, 0], "index 2 of value 1 is not from 0 to 1"),
            ([2, 2], [1, 0, 0, 2], "value 1 is at position 2, which does not follow 3: they must ascend"),
            ([2, 2], [1, 0, 1, 0], "value 1 is at position 3, which does not follow 3: they must ascend"),
        ] as [([Int64], [Int64], String)])
    func indicesThatNameNoPlace(dimensions: [Int64], indices: [Int64], message: String) throws {
        let error = try Self.refusal { tensor in
            tensor.indices.dims = dimensions
            tensor.indices.int64Data = indices
        }
        #expect(error.reason == .invalidData(message))
        #expect(error.element == "sparse initializer 'weight', indices")
    }

    @Test(arguments: [[1], [3], [2, 3], [3, 2], [2, 1], [1, 2], [2, 1, 1], []] as [[Int64]])
    func indicesOfAnotherShape(dimensions: [Int64]) throws {
        let error = try Self.refusal { tensor in
            tensor.indices.dims = dimensions
            tensor.indices.int64Data = [Int64](repeating: 1, count: Int(dimensions.reduce(1, *)))
        }
        let found = dimensions.map { Int($0) }
        #expect(error.reason == .invalidStructure("their shape is \(found), and must be [2] or [2, 2]"))
        #expect(error.element == "sparse initializer 'weight', indices")
    }

    @Test func indicesOfAnotherTypeOrNone() throws {
        let narrow = try Self.refusal { tensor in
            tensor.indices.dataType = 6
            tensor.indices.int64Data = []
            tensor.indices.int32Data = [1, 5]
        }
        #expect(
            narrow.reason == .invalidStructure("they are of element type 6, and must be int64 (7)"))
        let none = try Self.refusal { $0.clearIndices() }
        #expect(none.reason == .invalidStructure("they are of element type 0, and must be int64 (7)"))
        let short = try Self.refusal { $0.indices.int64Data = [1] }
        #expect(short.reason == .wrongDataLength(expected: 16, found: 8))
        let raw = try Self.refusal { tensor in
            tensor.indices.int64Data = []
            tensor.indices.rawData = Data(count: 15)
        }
        #expect(raw.reason == .wrongDataLength(expected: 16, found: 15))
    }

    @Test func valuesThatAreNoList() throws {
        let axes = try Self.refusal { $0.values.dims = [2, 1] }
        #expect(axes.reason == .invalidStructure("they have 2 axes, and must have one"))
        let count = try Self.refusal { $0.values.floatData = [1] }
        #expect(count.reason == .wrongDataLength(expected: 8, found: 4))
        let type = try Self.refusal { $0.values.clearDataType() }
        #expect(type.reason == .unsupportedElementType(code: 0))
        let twice = try Self.refusal { $0.values.rawData = Data(count: 8) }
        #expect(twice.reason == .invalidData("it has raw data and typed data"))
        for error in [axes, count, type, twice] {
            #expect(error.element == "sparse initializer 'weight', values")
        }
        let name = try Self.refusal { $0.values.clearName() }
        #expect(name.reason == .invalidStructure("sparse initializer 0 has no name"))
    }

    @Test(arguments: [[-2, 3], [1 << 62], [1 << 30, 1 << 30], [.max, .max], [1 << 41]] as [[Int64]])
    func impossibleDimensions(dimensions: [Int64]) throws {
        let error = try Self.refusal { $0.dims = dimensions }
        #expect(error.reason == .invalidShape(dimensions: dimensions))
        #expect(error.element == "sparse initializer 'weight'")
    }

    @Test func namesThatAreTaken() throws {
        let changes: [(inout ModelProto) -> Void] = [
            { $0.graph.sparseInitializer.append($0.graph.sparseInitializer[0]) },
            { $0.graph.initializer = [$0.graph.sparseInitializer[0].values] },
            { $0.graph.node[0].output = ["weight"] },
        ]
        for change in changes {
            let error = try onnxError { _ = try Self.load(change) }
            #expect(error.reason == .invalidGraph(.severalProducers(value: "weight")))
        }
    }

    // MARK: What a small file may claim

    /// Two values may fill 64 MiB and 8 KiB, and no element more.
    @Test func memoryIsBounded() throws {
        let most: Int64 = ((64 << 20) + 1024 * 8) / 4
        let graph = try Self.load { $0.graph.sparseInitializer[0].dims = [most] }
        #expect(try graph.constant("weight").count == Int(most))
        let error = try Self.refusal { $0.dims = [most + 1] }
        #expect(
            error.reason == .excessiveExpansion(byteCount: Int(most + 1) * 4, storedByteCount: 8))
        #expect(error.element == "sparse initializer 'weight'")
        // 4 TiB, which nothing may be tempted to allocate.
        let absurd = try Self.refusal { $0.dims = [1 << 20, 1 << 20] }
        #expect(absurd.reason == .excessiveExpansion(byteCount: 1 << 42, storedByteCount: 8))
    }

    /// In a file of many sparse tensors and sparse constants, all share in it.
    @Test func memoryIsBoundedForAllTogether() throws {
        let count = 9
        func load(_ change: (inout ModelProto) -> Void) throws {
            _ = try Self.load { model in
                model.graph.sparseInitializer[0].dims = [2 << 20]
                for number in 1..<count {
                    var tensor = model.graph.sparseInitializer[0]
                    tensor.values.name = "weight\(number)"
                    model.graph.sparseInitializer.append(tensor)
                }
                change(&model)
            }
        }
        let initializers = try onnxError { try load { _ in } }
        #expect(initializers.reason == .excessiveExpansion(byteCount: 8 << 20, storedByteCount: 8))
        #expect(initializers.element == "sparse initializer 'weight8'")
        let constant = try onnxError {
            try load { model in
                var node = NodeProto()
                node.name = "constant"
                node.opType = "Constant"
                node.output = ["c"]
                var attribute = AttributeProto()
                attribute.name = "sparse_value"
                attribute.type = .sparseTensor
                attribute.sparseTensor = model.graph.sparseInitializer.removeLast()
                node.attribute = [attribute]
                model.graph.node.append(node)
            }
        }
        #expect(constant.reason == .excessiveExpansion(byteCount: 8 << 20, storedByteCount: 8))
        #expect(constant.element == "node 'constant', attribute 'sparse_value'")
    }
}
