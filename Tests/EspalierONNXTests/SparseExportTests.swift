import EspalierGraphs
import EspalierONNX
import EspalierTensors
import Foundation
import SwiftProtobuf
import Testing

/// Constants as sparse initializers: which are, and that nothing changes on the way.
struct SparseExportTests {
    /// `y = x constant`, and the constant again as an output if wanted.
    private static func graph(_ constants: [Tensor], isOutput: Bool = false) throws -> Graph {
        var builder = GraphBuilder(name: "sparse")
        var y = builder.input("x", type: ValueType(dtype: .float32, shape: [1]))
        var outputs: [ValueID] = []
        for (number, tensor) in constants.enumerated() {
            let constant = builder.constant("constant\(number)", tensor)
            if isOutput { outputs.append(constant) }
            y = builder.node("Mul", name: "product\(number)", inputs: [y, constant])
        }
        return try builder.finish(outputs: [y] + outputs)
    }

    private static func message(_ graph: Graph) throws -> ModelProto {
        try ModelProto(serializedBytes: try ONNXModel.serialized(graph, usesSparseInitializers: true))
    }

    /// Random bits, with a share of elements that are zero.
    private static func tensor(
        _ dtype: DType, _ shape: Shape, zeros: Double, _ random: inout RandomSource
    ) -> Tensor {
        Tensor(shape: shape, dtype: dtype) { bytes in
            let size = dtype.byteCount
            for element in 0..<shape.count where random.uniform() >= zeros {
                for byte in element * size..<(element + 1) * size {
                    bytes[byte] = dtype == .bool ? 1 : UInt8.random(in: .min ... .max, using: &random)
                }
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func everyBitIsKept(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let tensors = DType.allCases.flatMap { dtype in
            [0.5, 0.9, 1].map { Self.tensor(dtype, [7, 3, 50], zeros: $0, &random) }
        }
        let graph = try Self.graph(tensors)
        let message = try Self.message(graph)
        let again = try ONNXModel.load(bytes: try message.serializedBytes())
        #expect(again.summary == graph.summary)
        // With nine zeros in ten all types gain, and all gain when nothing is left.
        let stored = Set(message.graph.sparseInitializer.map(\.values.name))
        for number in tensors.indices where number % 3 > 0 {
            #expect(stored.contains("constant\(number)"), "\(tensors[number].dtype)")
        }
        #expect(message.graph.sparseInitializer.count + message.graph.initializer.count == tensors.count)
    }

    @Test func negativeZerosAndNotANumbersAreValues() throws {
        var scalars = [Float](repeating: 0, count: 100)
        scalars[3] = -0.0
        scalars[50] = .nan
        scalars[51] = Float(bitPattern: 0x7FA0_0001)
        scalars[99] = .leastNonzeroMagnitude
        let graph = try Self.graph([Tensor(shape: [100], scalars: scalars)])
        let message = try Self.message(graph)
        let tensor = try #require(message.graph.sparseInitializer.first)
        #expect(tensor.indices.int64Data == [3, 50, 51, 99])
        #expect(tensor.values.rawData.count == 16)
        #expect(try ONNXModel.load(bytes: try message.serializedBytes()).summary == graph.summary)
    }

    /// Around the number of zeros at which it begins to pay, the smaller message is chosen, by its very bytes.
    @Test(arguments: [DType.float32, .float16, .int8, .float64], [[40], [300], [3, 50, 200]] as [Shape])
    func theSmallerMessageIsWritten(dtype: DType, shape: Shape) throws {
        var chosen: Set<Bool> = []
        for share in stride(from: 0.0, through: 1, by: 0.01) {
            let kept = Int(Double(shape.count) * share)
            let tensor = Tensor(shape: shape, dtype: dtype) { bytes in
                for element in 0..<kept { bytes[element * dtype.byteCount] = 1 }
            }
            let graph = try Self.graph([tensor])
            var dense = TensorProto()
            dense.name = "constant0"
            dense.dims = shape.extents.map { Int64($0) }
            dense.dataType = dtype.onnxCode
            dense.rawData = tensor.withUnsafeBytes { Data($0) }
            var sparse = SparseTensorProto()
            sparse.dims = dense.dims
            sparse.values = dense
            sparse.values.dims = [Int64(kept)]
            sparse.values.rawData = dense.rawData.prefix(kept * dtype.byteCount)
            sparse.indices.dims = [Int64(kept)]
            sparse.indices.dataType = 7
            sparse.indices.int64Data = (0..<Int64(kept)).map { $0 }
            let written = try Self.message(graph).graph
            let isSparse = try sparse.serializedData().count < dense.serializedData().count
            #expect(written.sparseInitializer == (isSparse ? [sparse] : []), "\(kept) elements")
            #expect(written.initializer == (isSparse ? [] : [dense]), "\(kept) elements")
            chosen.insert(isSparse)
        }
        #expect(chosen.count == 2)
    }

    @Test func denseIsTheDefault() throws {
        let graph = try Self.graph([Tensor(zeros: [1000])])
        let written = try ModelProto(serializedBytes: try ONNXModel.serialized(graph))
        #expect(written.graph.sparseInitializer.isEmpty && written.graph.initializer.count == 1)
        #expect(!ONNXExportOptions().usesSparseInitializers)
    }

    /// ONNX Runtime fails on a sparse initializer that is an output.
    @Test func outputsStayDense() throws {
        let graph = try Self.graph([Tensor(zeros: [1000])], isOutput: true)
        let message = try Self.message(graph)
        #expect(message.graph.sparseInitializer.isEmpty)
        #expect(try ONNXModel.load(bytes: try message.serializedBytes()).summary == graph.summary)
    }

    @Test func scalarsAndEmptyTensorsStayDense() throws {
        let graph = try Self.graph([Tensor(zeros: []), Tensor(zeros: [0]), Tensor(zeros: [4, 0, 3])])
        #expect(try Self.message(graph).graph.sparseInitializer.isEmpty)
    }

    /// Weights that a branch reads, halves, and one that is an output.
    @Test func prunedNetworkIsKept() throws {
        let graph = try Fixture.load("pruned")
        let message = try Self.message(graph)
        #expect(
            message.graph.sparseInitializer.map(\.values.name)
                == ["conv.weight", "conv.bias", "linear.weight", "branch.weight"])
        #expect(
            message.graph.sparseInitializer.last?.values.docString == "read by a branch")
        #expect(try ONNXModel.load(bytes: try message.serializedBytes()).summary == graph.summary)
    }

    @Test func versionsAreRaisedToOneThatHasThem() throws {
        let old = try ModelProto(
            serializedBytes: try ONNXModel.serialized(
                try Fixture.load("old_ir3"), usesSparseInitializers: true))
        #expect(old.irVersion == 4)
        var message = try Fixture.message("old_ir3")
        message.graph.initializer[0].dims = [200]
        message.graph.initializer[0].rawData = Data(count: 800)
        let graph = try ONNXModel.load(bytes: try message.serializedBytes())
        #expect(try Self.message(graph).irVersion == 6)
    }

    // MARK: Limits

    @Test func sparseWeightsStayInTheModel() throws {
        let folder = try TemporaryFolder()
        var random = RandomSource(seed: 4)
        let graph = try Self.graph([
            Self.tensor(.float32, [100, 100], zeros: 0.9, &random),
            Self.tensor(.float32, [100, 100], zeros: 0, &random),
        ])
        var options = ONNXExportOptions(weights: .external, usesSparseInitializers: true)
        func write(_ name: String) throws -> GraphProto {
            try ONNXModel.write(graph, to: folder.path(name), options: options)
            #expect(try ONNXModel.load(from: folder.path(name)).summary == graph.summary)
            return try ModelProto(serializedBytes: Data(contentsOf: URL(filePath: folder.path(name)))).graph
        }
        let external = try write("external.onnx")
        #expect(external.sparseInitializer.map(\.values.name) == ["constant0"])
        #expect(external.initializer.map(\.dataLocation) == [.external])
        #expect(external.initializer[0].externalEntry("offset") == "0")
        // What counts is the size that is written: 46 kB of 80 kB.
        options.weights = .automatic
        options.insideByteLimit = 50_000
        #expect(try write("inside.onnx").initializer.map(\.dataLocation) == [.default])
        #expect(try folder.files == ["external.onnx", "external.onnx.data", "inside.onnx"])
        // Where the sparse weights do not fit either, they go to the second file as they are.
        options.insideByteLimit = 1000
        let small = try write("small.onnx")
        #expect(small.sparseInitializer.isEmpty)
        #expect(small.initializer.map(\.dataLocation) == [.external, .external])
    }

    /// A reader refuses what claims too much memory, so that is stored densely.
    @Test func whatWouldBeRefusedIsNotWritten() throws {
        let zeros = Tensor(zeros: [40 << 20], dtype: .uint8)
        let graph = try Self.graph([zeros, zeros])
        let message = try Self.message(graph)
        #expect(message.graph.sparseInitializer.map(\.values.name) == ["constant0"])
        #expect(message.graph.initializer.map(\.name) == ["constant1"])
        let again = try ONNXModel.load(bytes: try message.serializedBytes())
        #expect(again.constants.values.allSatisfy { $0.byteCount == 40 << 20 })
    }
}
