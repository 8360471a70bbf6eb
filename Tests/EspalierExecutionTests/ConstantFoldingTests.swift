import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierTensors
import Testing

/// Weights that a file does not store as they are multiplied, but computes from constants.
struct ConstantFoldingTests {
    /// How a weight of 150 x 203 numbers is written.
    enum Form: CaseIterable, Sendable {
        case half, transposed, identity, dequantized

        func add(to builder: inout GraphBuilder, _ weight: Tensor) -> ValueID {
            switch self {
            case .half:
                let stored = builder.constant("w", weight.converted(to: .float16))
                return builder.node(
                    "Cast", name: "prepare.cast", inputs: [stored], attributes: ["to": .int(1)])
            case .transposed:
                let stored = builder.constant("w", weight.reshaped(to: [weight.shape[1], weight.shape[0]]))
                return builder.node(
                    "Transpose", name: "prepare.transpose", inputs: [stored],
                    attributes: ["perm": .ints([1, 0])])
            case .identity:
                return builder.node(
                    "Identity", name: "prepare.identity", inputs: [builder.constant("w", weight)])
            case .dequantized:
                let scaled = weight.scalars(as: Float.self).map { Int8(clamping: Int(20 * $0)) }
                let stored = builder.constant("w", Tensor(shape: weight.shape, scalars: scaled))
                let zero = builder.constant("zero", Tensor(Int8(3)))
                let scale = builder.constant("scale", Tensor(Float(0.05)))
                let (wide, wideZero) = (
                    builder.node(
                        "Cast", name: "prepare.cast", inputs: [stored], attributes: ["to": .int(1)]),
                    builder.node("Cast", name: "prepare.zero", inputs: [zero], attributes: ["to": .int(1)])
                )
                let centred = builder.node("Sub", name: "prepare.sub", inputs: [wide, wideZero])
                return builder.node("Mul", name: "prepare.mul", inputs: [centred, scale])
            }
        }
    }

    private static let rows = 16
    private static let width = 150
    private static let outputs = 203

    /// Normal numbers, a share of them zero.
    private static func noise(_ shape: Shape, seed: UInt64, zeros: Double = 0) -> Tensor {
        var random = RandomSource(seed: seed)
        return Tensor(
            shape: shape,
            scalars: (0..<shape.count).map { _ in
                let value = Float(random.normal())
                return random.uniform() < zeros ? 0 : value
            })
    }

    private static func product(_ form: Form, zeros: Double = 0) throws -> Graph {
        var builder = GraphBuilder(name: "product")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [rows, width]))
        let weight = form.add(to: &builder, noise([width, outputs], seed: 1, zeros: zeros))
        let bias = builder.constant("b", noise([outputs], seed: 2))
        let product = builder.node("MatMul", name: "product", inputs: [x, weight])
        let sum = builder.node("Add", name: "sum", inputs: [product, bias])
        let result = builder.node("Relu", name: "relu", inputs: [sum])
        return try builder.finish(outputs: [result])
    }

    private static func plan(
        _ graph: Graph, optimizes: Bool = true, sparsity: SparsityUse = .never
    ) throws -> InferencePlan {
        try InferencePlan(
            graph, inputShapes: [:], outputs: graph.outputs, threads: 1, optimizes: optimizes,
            sparsity: sparsity)
    }

    private static func result(_ graph: Graph, _ inputs: [String: Tensor], optimizes: Bool) throws -> [Float]
    {
        var options = InferenceSession.Options()
        options.optimizes = optimizes
        let session = try InferenceSession(graph: graph, options: options)
        let outputs = try session.run(inputs)
        return try #require(outputs[graph.name(of: graph.outputs[0])]).scalars(as: Float.self)
    }

    @Test(arguments: Form.allCases)
    func whatConstantsDetermineIsComputedOnce(form: Form) throws {
        let graph = try Self.product(form)
        let labels = try Self.plan(graph).listing.map(\.label)
        #expect(!labels.contains { $0.contains("prepare") }, "\(labels)")
        let steps = try Self.plan(graph, optimizes: false).listing.map(\.label)
        #expect(steps.contains { $0.contains("prepare") })
        let input = ["x": Self.noise([Self.rows, Self.width], seed: 3)]
        let found = try Self.result(graph, input, optimizes: true)
        let expected = try Self.result(graph, input, optimizes: false)
        #expect(found.count == Self.rows * Self.outputs && expected.contains { $0 > 1 })
        for (value, known) in zip(found, expected) { #expect(abs(value - known) <= 1e-4) }
    }

    @Test(arguments: [Form.half, .transposed, .identity])
    func zerosBehindAConversionAreLeftOut(form: Form) throws {
        let graph = try Self.product(form, zeros: 0.9)
        let plan = try Self.plan(graph, sparsity: .always)
        let format = plan.listing.first { $0.label.hasPrefix("product") }?.format
        #expect(format != nil && format != .dense)
        let input = ["x": Self.noise([Self.rows, Self.width], seed: 3)]
        try plan.run([graph.inputs[0]: try #require(input["x"])])
        let expected = try Self.result(graph, input, optimizes: false)
        for (value, known) in zip(plan.output(0).scalars(as: Float.self), expected) {
            #expect(abs(value - known) <= 1e-4)
        }
    }

    @Test func normalisationIsFoldedIntoConvertedWeights() throws {
        var builder = GraphBuilder(name: "convolution")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 3, 8, 8]))
        let weight = Form.half.add(to: &builder, Self.noise([4, 3, 3, 3], seed: 4))
        let sums = builder.node("Conv", name: "conv", inputs: [x, weight])
        let statistics = ["scale", "shift", "mean"].enumerated().map {
            builder.constant($1, Self.noise([4], seed: UInt64(5 + $0)))
        }
        let variance = builder.constant("variance", Tensor(shape: [4], scalars: [1, 2, 3, 4] as [Float]))
        let normal = builder.node(
            "BatchNormalization", name: "norm",
            inputs: [sums, statistics[0], statistics[1], statistics[2], variance])
        let graph = try builder.finish(outputs: [normal])
        let labels = try Self.plan(graph).listing.map(\.label)
        #expect(labels.contains("conv") && !labels.contains("norm"), "\(labels)")
        let input = ["x": Self.noise([1, 3, 8, 8], seed: 9)]
        let found = try Self.result(graph, input, optimizes: true)
        for (value, known) in zip(found, try Self.result(graph, input, optimizes: false)) {
            #expect(abs(value - known) <= 1e-3)
        }
    }

    /// A constant that is repeated to any size is cheaper to repeat than to keep.
    @Test(arguments: [(1000, true), (100_000, false)])
    func whatGrowsIsNotKept(extent: Int, isFolded: Bool) throws {
        var builder = GraphBuilder(name: "expansion")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, extent]))
        let target = builder.constant("target", Tensor(shape: [2], scalars: [1, Int64(extent)]))
        let one = builder.constant("one", Tensor(shape: [1], scalars: [1.5] as [Float]))
        let wide = builder.node("Expand", name: "expand", inputs: [one, target])
        let result = builder.node("Add", name: "add", inputs: [x, wide])
        let graph = try builder.finish(outputs: [result])
        let labels = try Self.plan(graph).listing.map(\.label)
        #expect(labels.contains("expand") == !isFolded)
        let input = ["x": Tensor(shape: [1, extent], scalars: [Float](repeating: 2, count: extent))]
        #expect(try Self.result(graph, input, optimizes: true).allSatisfy { $0 == 3.5 })
    }

    /// A value that is asked for is there, though no node makes it any more.
    @Test func foldedValuesCanBeAskedFor() throws {
        var builder = GraphBuilder(name: "outputs")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [2]))
        let stored = builder.constant(
            "w", Tensor(shape: [2], scalars: [1, 2] as [Float]).converted(to: .float16))
        let wide = builder.node("Cast", name: "wide", inputs: [stored], attributes: ["to": .int(1)])
        let negative = builder.node("Neg", name: "negative", inputs: [wide])
        let sum = builder.node("Add", name: "sum", inputs: [x, negative])
        let graph = try builder.finish(outputs: [sum, wide])
        for names in [nil, ["negative_output", "sum_output"], ["wide_output"]] as [[String]?] {
            var options = InferenceSession.Options()
            options.outputs = names
            let session = try InferenceSession(graph: graph, options: options)
            let expected: [String: [Float]] = [
                "sum_output": [9, 8], "wide_output": [1, 2], "negative_output": [-1, -2],
            ]
            // Twice: the memory is still there.
            for _ in 0..<2 {
                let outputs = try session.run(["x": Tensor(shape: [2], scalars: [10, 10] as [Float])])
                #expect(outputs.count == names?.count ?? 2)
                for (name, tensor) in outputs { #expect(tensor.scalars(as: Float.self) == expected[name]) }
            }
        }
    }

    /// What fails on constants fails when it is needed, as it would without the pass.
    @Test func failuresAreReported() throws {
        var builder = GraphBuilder(name: "failure")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1]))
        let data = builder.constant("data", Tensor(shape: [3], scalars: [1, 2, 3] as [Float]))
        let index = builder.constant("index", Tensor(shape: [1], scalars: [7] as [Int64]))
        let slice = builder.node("Gather", name: "gather", inputs: [data, index])
        let result = builder.node("Add", inputs: [x, slice])
        let graph = try builder.finish(outputs: [result])
        let session = try InferenceSession(graph: graph)
        let error = #expect(throws: ExecutionError.self) { try session.run(["x": Tensor(zeros: [1])]) }
        #expect(error?.description.contains("gather") == true)
    }
}
