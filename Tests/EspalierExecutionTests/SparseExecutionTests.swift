import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierTensors
import Testing

/// Networks whose weights are mostly zero: left out, they compute what the dense kernels do, and do not even look at what the
/// zeros would meet.
struct SparseExecutionTests {
    struct Convolution: Sendable, CustomTestStringConvertible {
        var channels = 32
        var filters = 48
        var kernel = 3
        var stride = 1
        var dilation = 1
        var padding = 1
        var groups = 1
        /// One extent for each spatial axis.
        var size = [13, 17]
        var batch = 1
        /// The share of the weights that are zero.
        var sparsity = 0.9

        var input: Shape { Shape([batch, channels] + size) }

        var output: Shape {
            let reach = dilation * (kernel - 1) + 1
            return Shape([batch, filters] + size.map { ($0 + 2 * padding - reach) / stride + 1 })
        }

        /// Channels that a filter sees.
        var perGroup: Int { channels / groups }

        /// Weights of a filter for one channel.
        var taps: Int { size.reduce(1) { product, _ in product * kernel } }

        var testDescription: String {
            "\(batch)x\(channels)x\(size) to \(filters), \(kernel), \(stride), \(dilation), \(padding), \(groups), \(sparsity)"
        }

        static let all = planes + lines

        /// With two spatial axes.
        private static let planes = [
            Convolution(), Convolution(kernel: 1, padding: 0), Convolution(stride: 2),
            Convolution(kernel: 5, dilation: 2, padding: 4), Convolution(groups: 2),
            Convolution(kernel: 1, stride: 2, padding: 0, batch: 2), Convolution(size: [7, 7], batch: 3),
            Convolution(channels: 70, filters: 33, size: [4, 90]),
        ]

        /// With one.
        private static let lines = [
            Convolution(size: [200], sparsity: 0.8),
            Convolution(kernel: 1, padding: 0, size: [31], batch: 2, sparsity: 0.8),
            Convolution(stride: 2, size: [61], batch: 5, sparsity: 0.8),
            Convolution(kernel: 5, dilation: 2, padding: 4, size: [64], batch: 3, sparsity: 0.8),
            Convolution(groups: 4, size: [90], sparsity: 0.8),
            Convolution(
                channels: 70, filters: 33, kernel: 7, stride: 3, dilation: 2, padding: 2, groups: 1,
                size: [129], batch: 2, sparsity: 0.8),
        ]
    }

    /// What follows a layer in the graph, and may be fused into it.
    enum Following: CaseIterable, Sendable {
        case nothing, relu, residualAndRelu, clip, hardSwish, gelu, reluAndResidual, sigmoid

        func add(to builder: inout GraphBuilder, _ value: ValueID, residual: ValueID) -> ValueID {
            switch self {
            case .nothing: return value
            case .relu: return builder.node("Relu", inputs: [value])
            case .residualAndRelu:
                return builder.node("Relu", inputs: [builder.node("Add", inputs: [value, residual])])
            case .reluAndResidual:
                return builder.node("Add", inputs: [builder.node("Relu", inputs: [value]), residual])
            case .clip:
                let low = builder.constant("low", Tensor(Float(-0.5)))
                let high = builder.constant("high", Tensor(Float(0.75)))
                return builder.node("Clip", inputs: [value, low, high])
            case .hardSwish: return builder.node("HardSwish", inputs: [value])
            case .sigmoid: return builder.node("Sigmoid", inputs: [value])
            case .gelu:
                let root = builder.constant("root", Tensor(Float(2).squareRoot()))
                let one = builder.constant("one", Tensor(Float(1)))
                let half = builder.constant("half", Tensor(Float(0.5)))
                let scaled = builder.node("Div", inputs: [value, root])
                let erf = builder.node("Erf", inputs: [scaled])
                let sum = builder.node("Add", inputs: [erf, one])
                let product = builder.node("Mul", inputs: [value, sum])
                return builder.node("Mul", inputs: [product, half])
            }
        }
    }

    /// Normal numbers, a share of `sparsity` zero; those with a position that `isGone` all.
    private static func weights(
        _ shape: Shape, sparsity: Double = 0.9, seed: UInt64, isGone: (Int) -> Bool = { _ in false }
    ) -> Tensor {
        var random = RandomSource(seed: seed)
        return Tensor(
            shape: shape,
            scalars: (0..<shape.count).map { position in
                let value = Float(random.normal())
                return random.uniform() < sparsity || isGone(position) ? 0 : value
            })
    }

    private static func noise(_ shape: Shape, seed: UInt64) -> Tensor {
        var random = RandomSource(seed: seed)
        return Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal()) })
    }

    /// Runs without the zeros on `inputs`, and densely, unfused, on what they are without infinities.
    private func check(_ graph: Graph, _ inputs: [String: Tensor], threads: Int) throws {
        var options = InferenceSession.Options()
        options.threads = threads
        options.sparsity = .always
        let sparse = try InferenceSession(graph: graph, options: options).run(inputs)
        options.optimizes = false
        options.sparsity = .never
        let finite = inputs.mapValues { tensor in
            Tensor(
                shape: tensor.shape,
                scalars: tensor.scalars(as: Float.self).map { $0.isFinite ? $0 : 0 })
        }
        let dense = try InferenceSession(graph: graph, options: options).run(finite)
        let name = graph.name(of: graph.outputs[0])
        let (found, expected) = (
            try #require(sparse[name]).scalars(as: Float.self),
            try #require(dense[name]).scalars(as: Float.self)
        )
        // Sums of some dozens of normal numbers come to 5 and more, though little may be left of them after clipping.
        let scale = expected.reduce(5) { max($0, $1.magnitude) }
        let worst = zip(found, expected).map { ($0 - $1).magnitude }.reduce(0) { $1 <= $0 ? $0 : $1 }
        #expect(worst <= 2e-6 * scale, "of \(scale)")
    }

    /// A convolution with inputs x and, for what follows it, r.
    private static func graph(_ convolution: Convolution, _ following: Following) throws -> Graph {
        var builder = GraphBuilder(name: "sparse")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: convolution.input))
        let (perGroup, taps) = (convolution.perGroup, convolution.taps)
        // The first channel of every group meets nothing but zeros.
        let weight = Self.weights(
            Shape([convolution.filters, perGroup] + convolution.size.map { _ in convolution.kernel }),
            sparsity: convolution.sparsity, seed: 1
        ) { $0 / taps % perGroup == 0 }
        let residual = builder.input("r", type: ValueType(dtype: .float32, shape: convolution.output))
        func perAxis(_ value: Int) -> [Int64] { convolution.size.map { _ in Int64(value) } }
        let value = builder.node(
            "Conv",
            inputs: [
                x, builder.constant("w", weight),
                builder.constant("b", Self.noise([convolution.filters], seed: 2)),
            ],
            attributes: [
                "pads": .ints(perAxis(convolution.padding) + perAxis(convolution.padding)),
                "strides": .ints(perAxis(convolution.stride)),
                "dilations": .ints(perAxis(convolution.dilation)),
                "group": .int(Int64(convolution.groups)),
            ])
        let result = following.add(to: &builder, value, residual: residual)
        return try builder.finish(outputs: [result])
    }

    @Test(arguments: Convolution.all, Following.allCases)
    func convolutionsLeaveOutZeros(convolution: Convolution, following: Following) throws {
        let graph = try Self.graph(convolution, following)
        var input = Self.noise(convolution.input, seed: 3)
        let plane = convolution.size.reduce(1, *)
        input.withUnsafeMutableScalars(of: Float.self) { scalars in
            for position in scalars.indices where position / plane % convolution.perGroup == 0 {
                scalars[position] = position % 2 == 0 ? .infinity : .nan
            }
        }
        for threads in [1, 2] {
            try check(
                graph, ["x": input, "r": Self.noise(convolution.output, seed: 4)], threads: threads)
        }
    }

    /// What is compared with dense kernels is no dense kernel itself.
    @Test(arguments: Convolution.all)
    func convolutionsHaveSparseKernels(convolution: Convolution) throws {
        let formats = try SparsityPlanTests.formats(try Self.graph(convolution, .relu), .always)
        try #require(formats.count == 1)
        #expect(formats[0]?.skipsZeros == true)
    }

    /// A depthwise convolution between two sparse ones, with one filter for each channel, or several.
    @Test(arguments: [1, 2], [1, 3])
    func depthwiseConvolutionsJoinIn(stride: Int, multiplier: Int) throws {
        let (channels, size) = (40, 15)
        var builder = GraphBuilder(name: "separable")
        let shape: Shape = [2, channels, size, size]
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: shape))
        func convolve(_ value: ValueID, _ name: String, _ weight: Tensor, depthwise: Bool = false) -> ValueID
        {
            let pad = Int64(depthwise ? 1 : 0)
            let step = Int64(depthwise ? stride : 1)
            let bias = builder.constant("\(name).bias", Self.noise([weight.shape[0]], seed: 9))
            let sums = builder.node(
                "Conv", inputs: [value, builder.constant(name, weight), bias],
                attributes: [
                    "pads": .ints([pad, pad, pad, pad]), "strides": .ints([step, step]),
                    "group": .int(Int64(depthwise ? channels : 1)),
                ])
            return builder.node("Relu", inputs: [sums])
        }
        let first = convolve(x, "first", Self.weights([channels, channels, 1, 1], seed: 10))
        let middle = convolve(
            first, "middle", Self.noise([channels * multiplier, 1, 3, 3], seed: 11), depthwise: true)
        let last = convolve(middle, "last", Self.weights([50, channels * multiplier, 1, 1], seed: 12))
        let graph = try builder.finish(outputs: [last])
        for threads in [1, 2] { try check(graph, ["x": Self.noise(shape, seed: 13)], threads: threads) }
    }

    /// Products as MatMul and Add and as Gemm with either orientation, of few rows and of many.
    @Test(arguments: [1, 3, 6, 16, 17, 70], Following.allCases)
    func productsLeaveOutZeros(rows: Int, following: Following) throws {
        let (width, outputs) = (150, 203)
        for form in ["MatMul", "Gemm", "transposed"] {
            var builder = GraphBuilder(name: "sparse")
            let x = builder.input("x", type: ValueType(dtype: .float32, shape: [rows, width]))
            let residual = builder.input("r", type: ValueType(dtype: .float32, shape: [rows, outputs]))
            let bias = builder.constant("b", Self.noise([outputs], seed: 5))
            let isTransposed = form == "transposed"
            let weight = Self.weights(isTransposed ? [outputs, width] : [width, outputs], seed: 6) {
                isTransposed ? $0 % width == 7 : $0 / outputs == 7
            }
            let w = builder.constant("w", weight)
            let value =
                form == "MatMul"
                ? builder.node("Add", inputs: [builder.node("MatMul", inputs: [x, w]), bias])
                : builder.node(
                    "Gemm", inputs: [x, w, bias], attributes: ["transB": .int(isTransposed ? 1 : 0)])
            let result = following.add(to: &builder, value, residual: residual)
            let graph = try builder.finish(outputs: [result])
            var input = Self.noise([rows, width], seed: 7)
            input.withUnsafeMutableScalars(of: Float.self) { scalars in
                for row in 0..<rows { scalars[row * width + 7] = row % 2 == 0 ? .nan : .infinity }
            }
            for threads in [1, 2] {
                try check(graph, ["x": input, "r": Self.noise([rows, outputs], seed: 8)], threads: threads)
            }
        }
    }
}
