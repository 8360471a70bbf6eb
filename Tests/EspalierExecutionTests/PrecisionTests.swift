import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierTensors
import Testing

/// Networks computed with narrow numbers: what is rounded, by how much, and what is not.
struct PrecisionTests {
    /// One layer with constant weights, large enough for the conversion of its input to be worth it.
    enum Layer: CaseIterable, Sendable {
        case convolution, strided, grouped, pointwise, product, batched, transposed, scaled

        var input: Shape {
            switch self {
            case .convolution, .pointwise: [2, 40, 13, 17]
            case .strided: [1, 33, 15, 15]
            case .grouped: [1, 64, 12, 12]
            case .product, .transposed: [70, 150]
            case .scaled: [150, 70]
            case .batched: [3, 20, 150]
            }
        }

        var weights: Shape {
            switch self {
            case .convolution: [50, 40, 3, 3]
            case .strided: [48, 33, 5, 5]
            case .grouped: [64, 16, 3, 3]
            case .pointwise: [70, 40, 1, 1]
            case .product, .batched, .scaled: [150, 203]
            case .transposed: [203, 150]
            }
        }

        var biasShape: Shape { [isConvolution ? weights[0] : 203] }
        private var isConvolution: Bool { weights.rank == 4 }

        /// Adds it with a bias; `factor` stands for what a product is multiplied by.
        func add(
            to builder: inout GraphBuilder, _ x: ValueID, _ weights: Tensor, bias: Tensor
        ) -> ValueID {
            let (w, b) = (builder.constant("w", weights), builder.constant("b", bias))
            switch self {
            case .convolution, .strided, .grouped, .pointwise:
                let pad = Int64(weights.shape[2] / 2)
                return builder.node(
                    "Conv", inputs: [x, w, b],
                    attributes: [
                        "pads": .ints([pad, pad, pad, pad]), "group": .int(self == .grouped ? 4 : 1),
                        "strides": .ints(self == .strided ? [2, 2] : [1, 1]),
                    ])
            case .product, .batched:
                return builder.node("Add", inputs: [builder.node("MatMul", inputs: [x, w]), b])
            case .transposed:
                return builder.node("Gemm", inputs: [x, w, b], attributes: ["transB": .int(1)])
            case .scaled:
                return builder.node(
                    "Gemm", inputs: [x, w, b], attributes: ["transA": .int(1), "alpha": .float(0.5)])
            }
        }
    }

    private static func noise(_ shape: Shape, seed: UInt64, keeping share: Double = 1) -> Tensor {
        var random = RandomSource(seed: seed)
        return Tensor(
            shape: shape,
            scalars: (0..<shape.count).map { _ in
                let value = Float(random.normal())
                return random.uniform() < share ? value : 0
            })
    }

    private static func mapped(_ tensor: Tensor, _ transform: (Float) -> Float) -> Tensor {
        Tensor(shape: tensor.shape, scalars: tensor.scalars(as: Float.self).map(transform))
    }

    /// To nearest, ties to even.
    private static func rounded(_ tensor: Tensor) -> Tensor {
        mapped(tensor) { value in
            let bits = value.bitPattern
            return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
        }
    }

    private static func graph(_ layer: Layer, _ weights: Tensor, bias: Tensor) throws -> Graph {
        var builder = GraphBuilder(name: "layer")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: layer.input))
        let output = layer.add(to: &builder, x, weights, bias: bias)
        return try builder.finish(outputs: [output])
    }

    private static func outputs(
        _ graph: Graph, _ input: Tensor, _ precision: Precision,
        sparsity: InferenceSession.Sparsity = .never, threads: Int = 1
    ) throws -> [Float] {
        var options = InferenceSession.Options()
        options.precision = precision
        options.sparsity = sparsity
        options.threads = threads
        let session = try InferenceSession(graph: graph, options: options)
        let outputs = try session.run(["x": input])
        return try #require(outputs[session.outputNames[0]]).scalars(as: Float.self)
    }

    private static func formats(
        _ graph: Graph, _ precision: Precision, _ sparsity: SparsityUse = .never
    ) throws -> [KernelFormat] {
        let dimensions = try #require(graph.values[graph.inputs[0]]?.type?.dimensions)
        let extents = dimensions.compactMap { if case .fixed(let extent) = $0 { extent } else { nil } }
        let plan = try InferencePlan(
            graph, inputShapes: [graph.inputs[0]: Shape(extents)], outputs: graph.outputs, threads: 1,
            sparsity: sparsity, precision: precision)
        return plan.listing.compactMap(\.format)
    }

    /// Both factors are rounded, relatively by 2^-8 at most each: a sum is off by no more than 2^-7 and a little of the sum of
    /// its products' magnitudes, which is what the layer computes from magnitudes. And it is the exact sum of the rounded ones.
    @Test(arguments: Layer.allCases, [1, 2])
    func denseLayersRoundFactors(layer: Layer, threads: Int) throws {
        let (input, weights) = (Self.noise(layer.input, seed: 1), Self.noise(layer.weights, seed: 2))
        let bias = Self.noise(layer.biasShape, seed: 3)
        func graph(_ weights: Tensor, _ bias: Tensor) throws -> Graph {
            try Self.graph(layer, weights, bias: bias)
        }
        let exact = try Self.outputs(graph(weights, bias), input, .float32, threads: threads)
        let found = try Self.outputs(graph(weights, bias), input, .bfloat16, threads: threads)
        let magnitudes = try Self.outputs(
            graph(Self.mapped(weights, \.magnitude), Self.mapped(bias, \.magnitude)),
            Self.mapped(input, \.magnitude), .float32)
        let fromRounded = try Self.outputs(
            graph(Self.rounded(weights), bias), Self.rounded(input), .float32, threads: threads)
        let isNative = DNNLibrary.hasNativeBFloat16
        #expect(try Self.formats(graph(weights, bias), .bfloat16) == (isNative ? [.denseBFloat16] : []))
        var largest: Float = 0
        for index in exact.indices {
            let difference = (found[index] - exact[index]).magnitude
            largest = max(largest, difference / magnitudes[index])
            #expect(difference <= (0x1p-7 + 0x1p-16 + 1e-5) * magnitudes[index])
            let wanted = isNative ? fromRounded[index] : exact[index]
            #expect((found[index] - wanted).magnitude <= 4e-6 * magnitudes[index])
        }
        // Of random numbers some are rounded by much.
        #expect(isNative ? largest > 1e-4 : largest == 0)
    }

    /// What follows a layer is fused behind it in float32.
    @Test(arguments: ["Relu", "Sigmoid", "Tanh", "Gelu"])
    func epiloguesAreNotRounded(function: String) throws {
        for layer in [Layer.convolution, .product] {
            var builder = GraphBuilder(name: "fused", opset: 20)
            let x = builder.input("x", type: ValueType(dtype: .float32, shape: layer.input))
            let weights = Self.noise(layer.weights, seed: 2)
            let value = layer.add(
                to: &builder, x, Self.rounded(weights), bias: Self.noise(layer.biasShape, seed: 3))
            let output = builder.node(function, inputs: [value])
            let graph = try builder.finish(outputs: [output])
            let input = Self.rounded(Self.noise(layer.input, seed: 4))
            // Nothing is left to round.
            let (found, exact) = (
                try Self.outputs(graph, input, .bfloat16), try Self.outputs(graph, input, .float32)
            )
            let range = exact.reduce(1) { max($0, $1.magnitude) }
            for (one, other) in zip(found, exact) { #expect((one - other).magnitude <= 1e-5 * range) }
        }
    }

    /// Depthwise convolutions, small products, and products of activations are computed as ever, to the last bit.
    @Test func theRestStaysFloat32() throws {
        var builder = GraphBuilder(name: "rest")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 32, 14, 14]))
        let depthwise = builder.node(
            "Conv", inputs: [x, builder.constant("d", Self.noise([32, 1, 3, 3], seed: 1))],
            attributes: ["group": .int(32), "pads": .ints([1, 1, 1, 1])])
        let both = builder.node("MatMul", inputs: [depthwise, depthwise])
        let pooled = builder.node("Flatten", inputs: [builder.node("GlobalAveragePool", inputs: [both])])
        let output = builder.node(
            "Gemm", inputs: [pooled, builder.constant("w", Self.noise([32, 10], seed: 2))])
        let graph = try builder.finish(outputs: [output])
        let input = Self.noise([1, 32, 14, 14], seed: 3)
        for precision in Precision.allCases {
            #expect(
                try Self.outputs(graph, input, precision) == Self.outputs(graph, input, .float32),
                "\(precision)")
        }
    }

    /// Of sparse products only weights are narrow: 2^-8 of each, or half of the largest of an output by 127.
    @Test(arguments: [1, 3, 6, 16], [Precision.bfloat16, .int8Weights])
    func sparseRowsRoundWeights(rows: Int, precision: Precision) throws {
        let (width, outputs) = (150, 203)
        for isStrips in [false, true] {
            var weights = Self.noise([outputs, width], seed: 5, keeping: 0.15)
            if isStrips {
                // Sixteen consecutive outputs share their inputs.
                let scalars = Self.noise([outputs, width], seed: 6).scalars(as: Float.self)
                weights = Tensor(
                    shape: [outputs, width],
                    scalars: scalars.indices.map { position in
                        let (output, input) = (position / width, position % width)
                        return (output / 16 * 7 + input) % 5 == 0 ? scalars[position] : 0
                    })
            }
            func graph(_ weights: Tensor) throws -> Graph {
                var builder = GraphBuilder(name: "sparse")
                let x = builder.input("x", type: ValueType(dtype: .float32, shape: [rows, width]))
                let product = builder.node(
                    "Gemm", inputs: [x, builder.constant("w", weights)], attributes: ["transB": .int(1)])
                return try builder.finish(outputs: [product])
            }
            let input = Self.noise([rows, width], seed: 7)
            let exact = try Self.outputs(graph(weights), input, .float32, sparsity: .always)
            let found = try Self.outputs(graph(weights), input, precision, sparsity: .always)
            let stored = precision == .bfloat16 ? Self.rounded(weights) : Self.quantized(weights)
            let fromStored = try Self.outputs(graph(stored), input, .float32, sparsity: .always)
            let expected: KernelFormat = precision == .bfloat16 ? .rowsBFloat16 : .rowsInt8
            #expect(try Self.formats(graph(weights), precision, .always) == [expected])
            let (x, w) = (input.scalars(as: Float.self), weights.scalars(as: Float.self))
            for row in 0..<rows {
                for output in 0..<outputs {
                    let terms = (0..<width).map { (x[row * width + $0], w[output * width + $0]) }
                    let magnitude = terms.reduce(0) { $0 + ($1.0 * $1.1).magnitude }
                    let largest = terms.reduce(0) { max($0, $1.1.magnitude) }
                    let inputs = terms.reduce(0) { $1.1 == 0 ? $0 : $0 + $1.0.magnitude }
                    let bound = precision == .bfloat16 ? 0x1p-8 * magnitude : largest / 254 * inputs
                    let place = row * outputs + output
                    #expect((found[place] - exact[place]).magnitude <= 1.001 * bound + 1e-6 * magnitude)
                    #expect((found[place] - fromStored[place]).magnitude <= 3e-6 * (magnitude + bound))
                }
            }
            #expect(found != exact)
        }
    }

    /// As integers from -127 to 127 with one scale for each row.
    private static func quantized(_ weights: Tensor) -> Tensor {
        let (rows, width) = (weights.shape[0], weights.shape[1])
        var scalars = weights.scalars(as: Float.self)
        for row in 0..<rows {
            let range = row * width..<(row + 1) * width
            let scale = scalars[range].reduce(0) { max($0, $1.magnitude) } / 127
            guard scale > 0 else { continue }
            for index in range { scalars[index] = (scalars[index] / scale).rounded(.toNearestOrEven) * scale }
        }
        return Tensor(shape: weights.shape, scalars: scalars)
    }

    /// No integer stands for an infinity: such weights stay as they are.
    @Test func weightsThatAreNotFiniteAreNotIntegers() throws {
        var builder = GraphBuilder(name: "infinite")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 40]))
        var weights = Self.noise([20, 40], seed: 8, keeping: 0.2)
        weights.withUnsafeMutableScalars(of: Float.self) { $0[45] = .infinity }
        let product = builder.node(
            "Gemm", inputs: [x, builder.constant("w", weights)], attributes: ["transB": .int(1)])
        let graph = try builder.finish(outputs: [product])
        let input = Self.mapped(Self.noise([1, 40], seed: 9), \.magnitude)
        let exact = try Self.outputs(graph, input, .float32, sparsity: .always)
        #expect(exact[1] == .infinity)
        #expect(try Self.outputs(graph, input, .int8Weights, sparsity: .always) == exact)
    }

    /// What is left out must be faster than dense in the same precision: twice as fast dense layers change the choice.
    @Test(.enabled(if: DNNLibrary.hasNativeBFloat16, "needs AVX512_BF16 or AMX"))
    func zerosAreLeftOutWhereThatIsFasterThanDenseOfTheSamePrecision() throws {
        let ceilings = MachineCeilings(
            threads: 1, multiplyAccumulatesPerSecond: 1e6,
            levels: [.init(name: "memory", byteCount: nil, bytesPerSecond: .infinity)])
        let sparse = KernelCostModel.Constants(multiplyAccumulatesPerSecond: 4e5)
        let costs = KernelCostModel(
            ceilings: ceilings,
            formats: [
                .dense: .init(multiplyAccumulatesPerSecond: 1e6), .tiles: sparse, .bands: sparse,
                .denseBFloat16: .init(multiplyAccumulatesPerSecond: 2e6),
            ],
            reorders: .init(secondsPerByteToPlain: 0, secondsPerByteToChannelsLast: 0))
        // A fourth is left: 1.6 times as fast as dense, but in bfloat16 dense is twice as fast.
        let graph = try Self.graph(
            .convolution, Self.noise(Layer.convolution.weights, seed: 2, keeping: 0.25),
            bias: Self.noise(Layer.convolution.biasShape, seed: 3))
        #expect(try Self.formats(graph, .float32, .whereFaster(costs)) == [.tiles])
        #expect(try Self.formats(graph, .int8Weights, .whereFaster(costs)) == [.tiles])
        #expect(try Self.formats(graph, .bfloat16, .whereFaster(costs)) == [.denseBFloat16])
    }
}
