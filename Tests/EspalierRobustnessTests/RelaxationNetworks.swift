import EspalierGraphs
import EspalierTensors
import EspalierTraining

/// Small networks of what bounds go through, with random weights.
enum RelaxationNetwork: String, CaseIterable {
    case dense, pooled, residual, overlapping, joined, vectors

    static let channels = 2
    static let height = 6
    static let width = 5
    static let classes = 3
    static var size: Int { channels * height * width }

    func graph(seed: UInt64) throws -> Graph {
        var maker = Maker(seed: seed)
        let input = maker.builder.input(
            "x",
            type: ValueType(
                dtype: .float32,
                dimensions: [
                    .symbolic("N"), .fixed(Self.channels), .fixed(Self.height), .fixed(Self.width),
                ]))
        var x = input
        switch self {
        case .dense:
            x = maker.flat(x)
            x = maker.leaky(maker.linear(x, Self.size, 14))
            x = maker.relu(maker.linear(x, 14, 11))
            x = maker.linear(x, 11, Self.classes)
        case .pooled:
            x = maker.relu(maker.convolution(x, 2, 4, kernel: [3, 3], pads: [1, 1, 1, 1]))
            x = maker.builder.node(
                "MaxPool", inputs: [x],
                attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
            x = maker.normalized(
                maker.convolution(x, 4, 6, kernel: [3, 2], pads: [1, 0, 2, 1], strides: [2, 1]), 6)
            x = maker.flat(maker.leaky(x))
            x = maker.linear(x, 24, Self.classes)
        case .residual:
            x = maker.relu(
                maker.normalized(maker.convolution(x, 2, 4, kernel: [3, 3], pads: [1, 1, 1, 1]), 4))
            let main = maker.normalized(
                maker.convolution(
                    maker.relu(
                        maker.convolution(x, 4, 4, kernel: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2])), 4,
                    4, kernel: [3, 3], pads: [1, 1, 1, 1]), 4)
            let side = maker.convolution(x, 4, 4, kernel: [1, 1], pads: [0, 0, 0, 0], strides: [2, 2])
            x = maker.relu(maker.builder.node("Add", inputs: [main, side]))
            x = maker.relu(maker.convolution(x, 4, 4, kernel: [2, 2], pads: [0, 0, 0, 0]))
            x = maker.flat(maker.builder.node("GlobalAveragePool", inputs: [x]))
            x = maker.linear(x, 4, Self.classes)
        case .overlapping:
            x = maker.convolution(x, 2, 4, kernel: [3, 3], pads: [0, 1, 1, 0], groups: 2)
            x = maker.builder.node(
                "MaxPool", inputs: [x],
                attributes: [
                    "kernel_shape": .ints([3, 3]), "strides": .ints([2, 1]), "pads": .ints([1, 1, 1, 1]),
                ])
            x = maker.relu(
                maker.convolution(x, 4, 3, kernel: [2, 2], pads: [1, 0, 0, 1], dilations: [2, 1]))
            x = maker.builder.node(
                "AveragePool", inputs: [x], attributes: ["kernel_shape": .ints([2, 2])])
            x = maker.flat(x)
            x = maker.linear(x, 9, Self.classes)
        case .joined:
            let scale = maker.constant([2, 1, 1])
            x = maker.builder.node("Mul", inputs: [x, scale])
            x = maker.builder.node("Sub", inputs: [x, maker.constant([1, 2, 1, 1])])
            let one = maker.relu(maker.convolution(x, 2, 3, kernel: [3, 3], pads: [1, 1, 1, 1]))
            let other = maker.builder.node(
                "Neg", inputs: [maker.leaky(maker.convolution(x, 2, 2, kernel: [1, 3], pads: [0, 1, 0, 1]))])
            x = maker.builder.node("Concat", inputs: [one, other], attributes: ["axis": .int(1)])
            x = maker.relu(maker.convolution(x, 5, 3, kernel: [3, 3], pads: [0, 0, 0, 0]))
            x = maker.builder.node("Transpose", inputs: [x], attributes: ["perm": .ints([0, 2, 3, 1])])
            x = maker.flat(x)
            x = maker.linear(x, 36, Self.classes)
        case .vectors:
            // Channels of values without rows and columns.
            let target = maker.builder.constant(
                "target", Tensor(shape: [3], scalars: [0, 2, Int64(Self.height * Self.width)]))
            x = maker.builder.node("Reshape", inputs: [x, target])
            x = maker.convolution(x, 2, 4, kernel: [3], pads: [1, 1], strides: [2], dilations: [1])
            x = maker.flat(maker.relu(maker.normalized(x, 4)))
            x = maker.leaky(maker.normalized(maker.linear(x, 60, 12), 12))
            x = maker.builder.node("Mul", inputs: [maker.linear(x, 12, 10), maker.constant([10])])
            x = maker.relu(maker.builder.node("Add", inputs: [x, maker.constant([10])]))
            x = maker.linear(x, 10, Self.classes)
        }
        return try maker.builder.finish(outputs: [x])
    }

    private struct Maker {
        var builder = GraphBuilder(name: "small")
        var random: RandomSource

        init(seed: UInt64) { random = RandomSource(seed: seed) }

        mutating func constant(_ shape: Shape, scale: Double = 1) -> ValueID {
            builder.constant(
                "c",
                Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal() * scale) }))
        }

        mutating func linear(_ x: ValueID, _ inputs: Int, _ outputs: Int) -> ValueID {
            let weights = constant([outputs, inputs], scale: 1 / Double(inputs).squareRoot())
            return builder.node(
                "Gemm", inputs: [x, weights, constant([outputs], scale: 0.3)], attributes: ["transB": .int(1)]
            )
        }

        mutating func convolution(
            _ x: ValueID, _ inputs: Int, _ outputs: Int, kernel: [Int], pads: [Int64],
            strides: [Int64] = [1, 1],
            dilations: [Int64] = [1, 1], groups: Int = 1
        ) -> ValueID {
            let shape = Shape([outputs, inputs / groups] + kernel)
            let weights = constant(
                shape, scale: 1 / Double(inputs / groups * kernel.reduce(1, *)).squareRoot())
            return builder.node(
                "Conv", inputs: [x, weights, constant([outputs], scale: 0.3)],
                attributes: [
                    "pads": .ints(pads), "strides": .ints(strides), "dilations": .ints(dilations),
                    "group": .int(Int64(groups)),
                ])
        }

        mutating func normalized(_ x: ValueID, _ channels: Int) -> ValueID {
            let positive = builder.constant(
                "variance",
                Tensor(shape: [channels], scalars: (0..<channels).map { _ in Float(0.2 + random.uniform()) }))
            return builder.node(
                "BatchNormalization",
                inputs: [
                    x, constant([channels]), constant([channels], scale: 0.3),
                    constant([channels], scale: 0.3),
                    positive,
                ])
        }

        mutating func relu(_ x: ValueID) -> ValueID { builder.node("Relu", inputs: [x]) }
        mutating func leaky(_ x: ValueID) -> ValueID {
            builder.node("LeakyRelu", inputs: [x], attributes: ["alpha": .float(0.2)])
        }
        mutating func flat(_ x: ValueID) -> ValueID { builder.node("Flatten", inputs: [x]) }
    }
}

extension RelaxationNetwork {
    /// Random samples with random classes.
    static func samples(_ count: Int, seed: UInt64) throws -> Dataset {
        var random = RandomSource(seed: seed).split("samples")
        let values = (0..<(count * size)).map { _ in Float(random.uniform()) }
        let labels = (0..<count).map { _ in Int32(random.index(below: classes)) }
        return try Dataset(
            name: "points",
            inputs: [
                .init(
                    name: "x", values: Tensor(shape: [count, channels, height, width], scalars: values))
            ], labels: .classes(labels, count: classes),
            preprocessing: Preprocessing(mean: [0.1, -0.2], standardDeviation: [0.5, 0.5]))
    }
}
