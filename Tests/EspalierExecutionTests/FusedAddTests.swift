import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import Testing

/// What is added behind a convolution or product without a bias is read last: its memory must not be another value's by then.
struct FusedAddTests {
    private func outputs(_ graph: Graph, _ inputs: [ValueID: Tensor]) throws -> [[Float]] {
        let lane = try Lane(threads: 1)
        return try [true, false].map { optimizes in
            try lane.run {
                let plan = try InferencePlan(
                    graph, inputShapes: inputs.mapValues(\.shape), outputs: graph.outputs, threads: 1,
                    optimizes: optimizes)
                // Twice, since values of the first run are what a second one finds in their memory.
                try plan.run(inputs)
                try plan.run(inputs)
                return plan.output(0).scalars(as: Float.self)
            }
        }
    }

    private func agree(_ graph: Graph, _ input: ValueID, _ shape: Shape, seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let values = (0..<shape.count).map { _ in Float(random.normal()) }
        let found = try outputs(graph, [input: Tensor(shape: shape, scalars: values)])
        for (fused, plain) in zip(found[0], found[1]) { #expect(abs(fused - plain) < 1e-4, "seed \(seed)") }
    }

    @Test(arguments: [UInt64(1), 2], [false, true])
    func convolutionsOfFewChannels(seed: UInt64, hasBias: Bool) throws {
        var random = RandomSource(seed: seed).split("weights")
        var builder = GraphBuilder(name: "residual")
        let shape: Shape = [2, 3, 9, 9]
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: shape.extents.map { .fixed($0) }))
        let before = builder.node("Relu", name: "before", inputs: [x])
        let weight = builder.constant(
            "w", Tensor(shape: [3, 3, 3, 3], scalars: (0..<81).map { _ in Float(random.normal()) }))
        let bias = hasBias ? [builder.constant("b", Tensor(shape: [3], scalars: [1, 2, 3] as [Float]))] : []
        let sum = builder.node(
            "Conv", name: "conv", inputs: [before, weight] + bias, attributes: ["pads": .ints([1, 1, 1, 1])])
        let added = builder.node("Add", name: "add", inputs: [sum, before])
        let output = builder.node("Relu", name: "after", inputs: [added])
        let graph = try builder.finish(outputs: [output])
        try agree(graph, x, shape, seed: seed)
    }

    @Test(arguments: [Float(0), 1], [UInt64(1), 2])
    func productsWithoutAnAddend(beta: Float, seed: UInt64) throws {
        var random = RandomSource(seed: seed).split("weights")
        var builder = GraphBuilder(name: "residual")
        let shape: Shape = [5, 8]
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: shape.extents.map { .fixed($0) }))
        let before = builder.node("Relu", name: "before", inputs: [x])
        let weight = builder.constant(
            "w", Tensor(shape: [8, 8], scalars: (0..<64).map { _ in Float(random.normal()) }))
        let product = builder.node(
            "Gemm", name: "product", inputs: [before, weight], attributes: ["beta": .float(beta)])
        let added = builder.node("Add", name: "add", inputs: [product, before])
        let output = builder.node("Relu", name: "after", inputs: [added])
        let graph = try builder.finish(outputs: [output])
        try agree(graph, x, shape, seed: seed)
    }

    /// Values inside the network can be asked for although folding or fusing would do without them.
    @Test func valuesInsideStay() throws {
        var builder = GraphBuilder(name: "inside")
        let shape: Shape = [2, 3, 5, 5]
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: shape.extents.map { .fixed($0) }))
        let weight = builder.constant(
            "w", Tensor(shape: [3, 3, 1, 1], scalars: (0..<9).map { Float($0) - 4 }))
        let sum = builder.node("Conv", name: "conv", inputs: [x, weight])
        let ones = Tensor(shape: [3], scalars: [1, 1, 1] as [Float])
        let norm = builder.node(
            "BatchNormalization", name: "norm",
            inputs: [sum] + (0..<4).map { builder.constant("s\($0)", ones) })
        let output = builder.node("Relu", name: "relu", inputs: [norm])
        let graph = try builder.finish(outputs: [output])
        let input = Tensor(shape: shape, scalars: (0..<150).map { Float($0 % 7) - 3 })
        let lane = try Lane(threads: 1)
        let found = try [true, false].map { optimizes in
            try lane.run {
                let plan = try InferencePlan(
                    graph, inputShapes: [x: shape], outputs: [sum], threads: 1, optimizes: optimizes)
                try plan.run([x: input])
                return plan.output(0).scalars(as: Float.self)
            }
        }
        for (left, right) in zip(found[0], found[1]) { #expect(abs(left - right) < 1e-5) }
    }
}
