import EspalierGraphs
import EspalierPruning
import EspalierTensors

/// Builds small networks with seeded random weights, in double precision so that comparisons can be sharp.
struct Network {
    var builder: GraphBuilder
    var random: RandomSource
    let dtype: DType

    init(_ name: String = "network", seed: UInt64 = 1, dtype: DType = .float64, opset: Int = 17) {
        builder = GraphBuilder(name: name, opset: opset)
        random = RandomSource(seed: seed)
        self.dtype = dtype
    }

    mutating func finish(_ outputs: ValueID...) throws -> Graph {
        try builder.finish(outputs: outputs)
    }

    // MARK: - Values

    mutating func input(_ name: String = "x", _ dimensions: [Dimension]) -> ValueID {
        builder.input(name, type: ValueType(dtype: dtype, dimensions: dimensions))
    }

    /// An image batch of open size.
    mutating func image(channels: Int, size: Int) -> ValueID {
        input("x", [.symbolic("N"), .fixed(channels), .fixed(size), .fixed(size)])
    }

    mutating func weight(_ name: String, _ shape: Shape, around center: Double = 0) -> ValueID {
        let scale = 1 / Double(max(shape.count / max(shape.extents.first ?? 1, 1), 1)).squareRoot()
        let scalars = (0..<shape.count).map { _ in center + scale * random.normal() }
        return builder.constant(name, Tensor(shape: shape, scalars: scalars).converted(to: dtype))
    }

    mutating func integers(_ name: String, _ values: [Int]) -> ValueID {
        builder.constant(name, Tensor(shape: [values.count], scalars: values.map { Int64($0) }))
    }

    // MARK: - Layers

    mutating func convolution(
        _ name: String, _ input: ValueID, inputs: Int, outputs: Int, kernel: Int = 3, groups: Int = 1,
        bias: Bool = true
    ) -> ValueID {
        let weight = weight("\(name).weight", [outputs, inputs / groups, kernel, kernel])
        return convolution(
            name, input, weight: weight, bias: bias ? self.weight("\(name).bias", [outputs]) : nil,
            padding: kernel / 2, groups: groups)
    }

    mutating func convolution(
        _ name: String, _ input: ValueID, weight: ValueID, bias: ValueID? = nil, padding: Int = 0,
        groups: Int = 1
    ) -> ValueID {
        let pads = [Int64](repeating: Int64(padding), count: 4)
        return builder.node(
            "Conv", name: name, inputs: [input, weight] + (bias.map { [$0] } ?? []),
            attributes: ["pads": .ints(pads), "group": .int(Int64(groups))])
    }

    mutating func linear(_ name: String, _ input: ValueID, inputs: Int, outputs: Int) -> ValueID {
        let weight = weight("\(name).weight", [outputs, inputs])
        let bias = self.weight("\(name).bias", [outputs])
        return builder.node(
            "Gemm", name: name, inputs: [input, weight, bias], attributes: ["transB": .int(1)])
    }

    mutating func normalization(_ name: String, _ input: ValueID, channels: Int) -> ValueID {
        let scale = weight("\(name).scale", [channels], around: 1)
        let shift = weight("\(name).shift", [channels])
        let mean = weight("\(name).mean", [channels])
        let variances = (0..<channels).map { _ in 0.5 + random.uniform() }
        let variance = builder.constant(
            "\(name).variance", Tensor(shape: [channels], scalars: variances).converted(to: dtype))
        return builder.node(
            "BatchNormalization", name: name, inputs: [input, scale, shift, mean, variance])
    }

    mutating func relu(_ input: ValueID) -> ValueID { builder.node("Relu", inputs: [input]) }

    mutating func add(_ left: ValueID, _ right: ValueID) -> ValueID {
        builder.node("Add", inputs: [left, right])
    }

    mutating func concatenation(_ inputs: [ValueID], axis: Int = 1) -> ValueID {
        builder.node("Concat", inputs: inputs, attributes: ["axis": .int(Int64(axis))])
    }

    mutating func split(_ input: ValueID, sizes: [Int]) -> [ValueID] {
        let number = random.next()
        let sizesInput = integers("sizes\(number)", sizes)
        let parts = sizes.indices.map { builder.value("part\(number)_\($0)") }
        builder.add("Split", inputs: [input, sizesInput], outputs: parts, attributes: ["axis": .int(1)])
        return parts
    }

    mutating func flatten(_ input: ValueID) -> ValueID { builder.node("Flatten", inputs: [input]) }

    mutating func globalPool(_ input: ValueID) -> ValueID {
        builder.node("GlobalAveragePool", inputs: [input])
    }

    /// Squeeze and excitation (Hu et al. 2018), as 1x1 convolutions.
    mutating func excitation(_ name: String, _ input: ValueID, channels: Int, squeezed: Int) -> ValueID {
        let pooled = globalPool(input)
        let down = convolution("\(name).down", pooled, inputs: channels, outputs: squeezed, kernel: 1)
        let up = convolution("\(name).up", relu(down), inputs: squeezed, outputs: channels, kernel: 1)
        return builder.node("Mul", inputs: [input, builder.node("Sigmoid", inputs: [up])])
    }
}

extension Granularity {
    /// One of every kind.
    static let examples: [Granularity] = [
        .element, .inputGroups(kept: 2, of: 4), .blocks(outputs: 2, inputs: 2), .channel,
    ]
}

extension Network {
    /// A convolutional chain with a classifier: 1 -> 8 -> 6 channels of 4x4, then 5 classes.
    static func chain(dtype: DType = .float64) throws -> Graph {
        var network = Network("chain", dtype: dtype)
        let x = network.image(channels: 1, size: 4)
        let first = network.relu(network.convolution("conv1", x, inputs: 1, outputs: 8))
        let second = network.relu(network.convolution("conv2", first, inputs: 8, outputs: 6))
        return try network.finish(network.linear("fc", network.flatten(second), inputs: 96, outputs: 5))
    }

    /// A perceptron with the given widths.
    static func perceptron(_ widths: [Int], dtype: DType = .float64) throws -> Graph {
        var network = Network("perceptron", dtype: dtype)
        var value = network.input("x", [.symbolic("N"), .fixed(widths[0])])
        for layer in 1..<widths.count {
            value = network.linear("fc\(layer)", value, inputs: widths[layer - 1], outputs: widths[layer])
            if layer < widths.count - 1 { value = network.relu(value) }
        }
        return try network.finish(value)
    }

    /// Inputs of a batch of two for every input of a graph, seeded.
    static func inputs(of graph: Graph, seed: UInt64) -> [ValueID: Tensor] {
        var random = RandomSource(seed: seed)
        var inputs: [ValueID: Tensor] = [:]
        for id in graph.inputs {
            guard let type = graph.values[id]?.type, let dimensions = type.dimensions else { continue }
            let shape = Shape(
                dimensions.map { dimension in
                    if case .fixed(let extent) = dimension { extent } else { 2 }
                })
            let scalars = (0..<shape.count).map { _ in random.normal() }
            inputs[id] = Tensor(shape: shape, scalars: scalars).converted(to: type.dtype)
        }
        return inputs
    }
}
