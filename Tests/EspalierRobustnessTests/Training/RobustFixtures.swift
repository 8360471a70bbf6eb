import EspalierGraphs
import EspalierTensors
import EspalierTraining

/// A small network of all kinds of layers that have norms, and samples for it.
enum RobustFixtures {
    static let classes = 5

    /// A grouped convolution with uneven strides and padding, batch norm, a dilated convolution and two products.
    static func network(seed: UInt64) throws -> Graph {
        var random = RandomSource(seed: seed).split("network")
        var builder = GraphBuilder(name: "layers")
        func constant(_ name: String, _ shape: Shape, scale: Double, around middle: Double = 0) -> ValueID {
            builder.constant(
                name,
                Tensor(
                    shape: shape,
                    scalars: (0..<shape.count).map { _ in Float(middle + scale * random.normal()) }))
        }
        let x = builder.input(
            "x",
            type: ValueType(
                dtype: .float32, dimensions: [.symbolic("N"), .fixed(4), .fixed(6), .fixed(5)]))
        let first = builder.node(
            "Conv", name: "conv1",
            inputs: [
                x, constant("conv1.weight", [6, 2, 3, 3], scale: 0.3), constant("conv1.bias", [6], scale: 1),
            ],
            attributes: [
                "kernel_shape": .ints([3, 3]), "strides": .ints([2, 1]), "pads": .ints([1, 0, 1, 1]),
                "group": .int(2),
            ])
        let normalized = builder.node(
            "BatchNormalization", name: "norm1",
            inputs: [
                first, constant("norm1.weight", [6], scale: 0.3, around: 1),
                constant("norm1.bias", [6], scale: 1), constant("norm1.running_mean", [6], scale: 1),
                constant("norm1.running_var", [6], scale: 0.05, around: 0.7),
            ], attributes: ["epsilon": .float(1e-3)])
        let active = builder.node("Relu", name: "relu1", inputs: [normalized])
        let second = builder.node(
            "Conv", name: "conv2",
            inputs: [
                active, constant("conv2.weight", [3, 6, 2, 2], scale: 0.4),
                constant("conv2.bias", [3], scale: 1),
            ], attributes: ["kernel_shape": .ints([2, 2]), "dilations": .ints([1, 2])])
        let flat = builder.node("Flatten", name: "flatten", inputs: [second], attributes: ["axis": .int(1)])
        let third = builder.node(
            "Gemm", name: "fc1",
            inputs: [
                flat, constant("fc1.weight", [12, 7], scale: 0.3), constant("fc1.bias", [7], scale: 1),
            ],
            attributes: ["alpha": .float(1.5)])
        let hidden = builder.node("Relu", name: "relu3", inputs: [third])
        let logits = builder.node(
            "MatMul", name: "fc2", inputs: [hidden, constant("fc2.weight", [7, classes], scale: 0.3)])
        return try builder.finish(outputs: [logits])
    }

    static func samples(_ count: Int, seed: UInt64) throws -> Dataset {
        var random = RandomSource(seed: seed).split("samples")
        return try Dataset(
            name: "noise",
            inputs: [
                .init(
                    name: "x",
                    values: Tensor(
                        shape: [count, 4, 6, 5],
                        scalars: (0..<(count * 120)).map { _ in Float(random.uniform()) }))
            ], labels: .classes((0..<count).map { Int32($0 % classes) }, count: classes))
    }

    static func recipe(_ regularizations: [any Regularization], epochs: Int = 3) -> TrainingRecipe {
        var recipe = TrainingRecipe(
            epochs: epochs, batchSize: 16, optimizer: Adam(), schedule: CosineAnnealing(peak: 0.01), seed: 3)
        recipe.dropsPartialBatch = false
        recipe.regularizations = regularizations
        return recipe
    }
}

extension Graph {
    /// With one constant replaced.
    func replacing(_ name: String, with scalars: [Float]) throws -> Graph {
        guard let value = value(named: name), let shape = constants[value.id]?.shape else { return self }
        var patch = Patch(for: self)
        patch.append(.setConstant(value.id, Tensor(shape: shape, scalars: scalars)))
        return try applying(patch)
    }
}
