import EspalierExecution
import EspalierGraphs
import EspalierONNX
import EspalierTensors
import Foundation
import Testing

/// Once a network is planned, inferences in a session's own memory allocate nothing but what oneDNN does: counted by a program of
/// its own.
struct InferenceAllocationTests {
    enum Network: String, CaseIterable, Sendable {
        case convolutions, attention

        /// - Parameter share: of weights that are not zero.
        func graph(keeping share: Double) throws -> Graph {
            var builder = NetworkBuilder(keeping: share)
            return switch self {
            case .convolutions: try builder.convolutions()
            case .attention: try builder.attention()
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let network: Network
        let share: Double
        let threads: Int
        let precision: Precision

        var testDescription: String {
            "\(network.rawValue), \(share) of the weights, threads: \(threads), \(precision.rawValue)"
        }
    }

    static let cases: [Case] = {
        var cases: [Case] = []
        for network in Network.allCases {
            for share in [1.0, 0.2] {
                for threads in [1, 2] {
                    for precision in Precision.allCases {
                        cases.append(
                            Case(network: network, share: share, threads: threads, precision: precision))
                    }
                }
            }
        }
        return cases
    }()

    /// With several threads, each kernel of our own that calls the others makes an object for it, of 32 bytes.
    @Test(arguments: cases) func inferenceAllocatesNothing(_ example: Case) throws {
        let graph = try example.network.graph(keeping: example.share)
        let inferences = 20
        let folder = FileManager.default.temporaryDirectory.appending(path: "espalier-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = folder.appending(path: "model.onnx").path
        try ONNXModel.stage(graph, at: model).commit()
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "InferenceProbe")
        process.arguments = [
            model, "x", "y", "\(inferences)", example.precision.rawValue, "\(example.threads)",
        ]
        // Threads that spin while they wait would keep those of other tests from running.
        var environment = ProcessInfo.processInfo.environment
        environment["OMP_WAIT_POLICY"] = "passive"
        process.environment = environment
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let text = String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard text != "unavailable" else { return }
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        try #require(numbers.count == 2, "\(text)")
        let (count, byteCount) = (numbers[0], numbers[1])
        let most = example.threads == 1 ? 0 : inferences * graph.nodes.count
        #expect(count <= most, "allocations: \(count)")
        #expect(byteCount <= 32 * count, "\(count) allocations of \(byteCount) bytes")
    }
}

/// Networks with weights at random, from an input `x` to an output `y`, of any number of samples. Layers are large enough to be shared
/// among threads.
private struct NetworkBuilder {
    private var builder = GraphBuilder(name: "network")
    private var random = RandomSource(seed: 1)
    private let share: Double

    init(keeping share: Double) { self.share = share }

    private mutating func weights(_ shape: Shape) -> ValueID {
        let scalars = (0..<shape.count).map { _ -> Float in
            let value = Float(random.normal())
            return random.uniform() < share ? value : 0
        }
        return builder.constant("weights", Tensor(shape: shape, scalars: scalars))
    }

    private mutating func vector(_ count: Int) -> ValueID {
        let scalars = (0..<count).map { _ in random.uniform(in: 0.5...1.5) }
        return builder.constant("vector", Tensor(shape: [count], scalars: scalars))
    }

    private mutating func number(_ value: Float) -> ValueID {
        builder.constant("number", Tensor(shape: [1], scalars: [value]))
    }

    private mutating func input(_ extents: [Int]) -> ValueID {
        let dimensions = [Dimension.symbolic("N")] + extents.map { Dimension.fixed($0) }
        return builder.input("x", type: ValueType(dtype: .float32, dimensions: dimensions))
    }

    // MARK: Convolutions

    /// Convolutions of all kinds around a residual connection, poolings, and linear layers.
    mutating func convolutions() throws -> Graph {
        let channels = 32
        var value = input([3, 32, 32])
        value = convolution(value, [channels, 3, 3, 3])
        let skipped = pooling(value)
        value = convolution(skipped, [channels, channels, 3, 3])
        value = convolution(value, [channels, channels, 3, 3], followedByRelu: false)
        value = builder.node("Add", inputs: [value, skipped])
        value = builder.node("Relu", inputs: [value])
        value = convolution(value, [channels, 1, 3, 3], groups: channels)
        value = convolution(value, [channels, channels, 1, 1])
        value = pooling(value)
        value = builder.node("Flatten", inputs: [value])
        let (wide, bias) = (weights([256, channels * 64]), vector(256))
        value = builder.node("Gemm", inputs: [value, wide, bias], attributes: ["transB": .int(1)])
        value = builder.node("Relu", inputs: [value])
        let (last, output) = (weights([10, 256]), builder.value("y"))
        builder.add("Gemm", inputs: [value, last], outputs: [output], attributes: ["transB": .int(1)])
        return try builder.finish(outputs: [output])
    }

    /// The extents of planes stay.
    private mutating func convolution(
        _ input: ValueID, _ shape: Shape, groups: Int = 1, followedByRelu: Bool = true
    ) -> ValueID {
        let (filters, bias) = (weights(shape), vector(shape[0]))
        let padding = Int64(shape[3] / 2)
        let result = builder.node(
            "Conv", inputs: [input, filters, bias],
            attributes: [
                "pads": .ints([padding, padding, padding, padding]), "group": .int(Int64(groups)),
            ])
        return followedByRelu ? builder.node("Relu", inputs: [result]) : result
    }

    private mutating func pooling(_ input: ValueID) -> ValueID {
        builder.node(
            "MaxPool", inputs: [input],
            attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
    }

    // MARK: Attention

    private static let tokens = 128
    private static let width = 128
    private static let heads = 4

    /// A transformer's layer.
    mutating func attention() throws -> Graph {
        let (tokens, width, heads) = (Self.tokens, Self.width, Self.heads)
        let x = input([tokens, width])
        let normal = normalization(x)
        let queries = split(linear(normal, width, width), [0, 2, 1, 3])
        let keys = split(linear(normal, width, width), [0, 2, 3, 1])
        let values = split(linear(normal, width, width), [0, 2, 1, 3])
        var scores = builder.node("MatMul", inputs: [queries, keys])
        let root = number(Float(width / heads).squareRoot())
        scores = builder.node("Div", inputs: [scores, root])
        scores = builder.node("Softmax", inputs: [scores], attributes: ["axis": .int(-1)])
        var mixed = builder.node("MatMul", inputs: [scores, values])
        mixed = builder.node("Transpose", inputs: [mixed], attributes: ["perm": .ints([0, 2, 1, 3])])
        mixed = reshape(mixed, [0, tokens, width])
        mixed = linear(mixed, width, width)
        let attended = builder.node("Add", inputs: [mixed, x])
        var hidden = linear(normalization(attended), width, 4 * width)
        hidden = gelu(hidden)
        hidden = linear(hidden, 4 * width, width)
        let output = builder.value("y")
        builder.add("Add", inputs: [hidden, attended], outputs: [output])
        return try builder.finish(outputs: [output])
    }

    private mutating func normalization(_ input: ValueID) -> ValueID {
        let (scale, shift) = (vector(Self.width), vector(Self.width))
        return builder.node("LayerNormalization", inputs: [input, scale, shift])
    }

    private mutating func linear(_ input: ValueID, _ inputs: Int, _ outputs: Int) -> ValueID {
        let (matrix, bias) = (weights([inputs, outputs]), vector(outputs))
        let product = builder.node("MatMul", inputs: [input, matrix])
        return builder.node("Add", inputs: [product, bias])
    }

    /// Into heads, whose axes are put into an order.
    private mutating func split(_ input: ValueID, _ order: [Int64]) -> ValueID {
        let parts = reshape(input, [0, Self.tokens, Self.heads, Self.width / Self.heads])
        return builder.node("Transpose", inputs: [parts], attributes: ["perm": .ints(order)])
    }

    private mutating func reshape(_ input: ValueID, _ extents: [Int]) -> ValueID {
        let target = builder.constant(
            "target", Tensor(shape: [extents.count], scalars: extents.map { Int64($0) }))
        return builder.node("Reshape", inputs: [input, target])
    }

    /// As exporters write it.
    private mutating func gelu(_ input: ValueID) -> ValueID {
        let (root, one, half) = (number(Float(2).squareRoot()), number(1), number(0.5))
        var value = builder.node("Div", inputs: [input, root])
        value = builder.node("Erf", inputs: [value])
        value = builder.node("Add", inputs: [value, one])
        value = builder.node("Mul", inputs: [input, value])
        return builder.node("Mul", inputs: [value, half])
    }
}
