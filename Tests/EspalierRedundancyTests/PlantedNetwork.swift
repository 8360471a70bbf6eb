import EspalierGraphs
import EspalierTensors

/// Builds small networks in which some units of a layer do what others do.
struct PlantedNetwork {
    var builder: GraphBuilder
    var random: RandomSource

    /// A unit that is made `scale` times another, but for `noise`.
    struct Copy {
        let unit: Int
        let original: Int
        var scale: Float = 1
        var noise: Float = 0
    }

    init(seed: UInt64 = 1) {
        builder = GraphBuilder(name: "planted", opset: 17)
        random = RandomSource(seed: seed)
    }

    mutating func image(channels: Int, size: Int) -> ValueID {
        let extents: [Dimension] = [.symbolic("N"), .fixed(channels), .fixed(size), .fixed(size)]
        return builder.input("x", type: ValueType(dtype: .float32, dimensions: extents))
    }

    mutating func features(_ count: Int) -> ValueID {
        builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(count)]))
    }

    /// A constant whose slices along axis 0 are units.
    ///
    /// - Parameters:
    ///   - center: the mean of its elements.
    ///   - spread: their deviation; by default what keeps a product's size.
    mutating func constant(
        _ name: String, _ shape: Shape, copies: [Copy] = [], center: Float = 0, spread: Float? = nil
    ) -> ValueID {
        let row = shape.count / shape[0]
        let scale = spread ?? 1 / Float(row).squareRoot()
        var scalars = (0..<shape.count).map { _ in center + scale * Float(random.normal()) }
        for copy in copies {
            for position in 0..<row {
                scalars[copy.unit * row + position] =
                    copy.scale * scalars[copy.original * row + position]
                    + copy.noise * scale * Float(random.normal())
            }
        }
        return builder.constant(name, Tensor(shape: shape, scalars: scalars))
    }

    mutating func linear(
        _ name: String, _ input: ValueID, inputs: Int, outputs: Int, copies: [Copy] = []
    ) -> ValueID {
        let weight = constant("\(name).weight", [outputs, inputs], copies: copies)
        let bias = constant("\(name).bias", [outputs], copies: copies, spread: 0.2)
        return builder.node(
            "Gemm", name: name, inputs: [input, weight, bias], attributes: ["transB": .int(1)])
    }

    mutating func convolution(
        _ name: String, _ input: ValueID, inputs: Int, outputs: Int, padding: Int = 0, copies: [Copy] = []
    ) -> ValueID {
        let weight = constant("\(name).weight", [outputs, inputs, 3, 3], copies: copies)
        let bias = constant("\(name).bias", [outputs], copies: copies, spread: 0.2)
        let pads = [Int64](repeating: Int64(padding), count: 4)
        return builder.node(
            "Conv", name: name, inputs: [input, weight, bias], attributes: ["pads": .ints(pads)])
    }

    /// Batch norm with a scale and a shift of each channel's own.
    mutating func normalization(_ name: String, _ input: ValueID, channels: Int) -> ValueID {
        let scale = constant("\(name).scale", [channels], center: 3)
        let shift = constant("\(name).shift", [channels])
        let mean = constant("\(name).mean", [channels])
        let variance = builder.constant(
            "\(name).variance",
            Tensor(shape: [channels], scalars: (0..<channels).map { _ in Float(0.5 + random.uniform()) }))
        return builder.node(
            "BatchNormalization", name: name, inputs: [input, scale, shift, mean, variance])
    }

    mutating func relu(_ input: ValueID) -> ValueID { builder.node("Relu", inputs: [input]) }

    mutating func pool(_ input: ValueID) -> ValueID {
        builder.node(
            "MaxPool", inputs: [input],
            attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
    }

    mutating func flatten(_ input: ValueID) -> ValueID { builder.node("Flatten", inputs: [input]) }

    mutating func add(_ left: ValueID, _ right: ValueID) -> ValueID {
        builder.node("Add", inputs: [left, right])
    }
}

/// Normal noise.
func noise(_ shape: Shape, seed: UInt64) -> Tensor {
    var random = RandomSource(seed: seed)
    return Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal()) })
}
