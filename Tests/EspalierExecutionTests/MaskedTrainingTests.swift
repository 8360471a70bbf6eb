import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import Testing

/// Training with masked weights left out computes what training with zeros in their places does.
struct MaskedTrainingTests {
    private static let sizes = (inputs: 37, hidden: 21, outputs: 5)

    private func random(_ shape: Shape, _ random: inout RandomSource) -> Tensor {
        Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal()) })
    }

    /// Two layers, the first with a bias, the second without; weights [outputs, inputs], or the other way round.
    private func network(
        isTransposed: Bool, keeping share: Double, seed: UInt64
    ) throws -> (graph: Graph, masks: MaskSet) {
        var source = RandomSource(seed: seed)
        let (inputs, hidden, outputs) = Self.sizes
        var builder = GraphBuilder(name: "two layers")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(inputs)]))
        func shape(_ outputs: Int, _ inputs: Int) -> Shape {
            isTransposed ? [outputs, inputs] : [inputs, outputs]
        }
        let first = builder.constant("first", random(shape(hidden, inputs), &source))
        let bias = builder.constant("bias", random([hidden], &source))
        let second = builder.constant("second", random(shape(outputs, hidden), &source))
        let attributes: [String: Attribute] = ["transB": .int(isTransposed ? 1 : 0)]
        let sums = builder.node("Gemm", name: "layer1", inputs: [x, first, bias], attributes: attributes)
        let active = builder.node("Relu", name: "relu", inputs: [sums])
        let result = builder.node("Gemm", name: "layer2", inputs: [active, second], attributes: attributes)
        let graph = try builder.finish(outputs: [result])
        var masks = MaskSet()
        for name in ["first", "second"] {
            let id = try #require(graph.value(named: name)?.id)
            let shape = try #require(graph.constants[id]).shape
            masks[id] = Mask(shape: shape, kept: (0..<shape.count).map { _ in source.uniform() < share })
        }
        return (try masks.applied(to: graph), masks)
    }

    private struct Pass {
        var outputs: [Float]
        var gradients: [Float]
        var inputGradient: [Float]
        var store: ParameterStore
    }

    private func pass(
        _ graph: Graph, _ masks: MaskSet, batch: Int, threads: Int, seed: UInt64
    ) throws -> Pass {
        var source = RandomSource(seed: seed)
        let x = random([batch, Self.sizes.inputs], &source)
        let gradient = random([batch, Self.sizes.outputs], &source).scalars(as: Float.self)
        let resolved = try ResolvedGraph(graph, dimensions: ["N": batch])
        let store = ParameterStore(resolved)
        var options = TrainingSession.Options(threads: threads)
        options.inputGradients = true
        options.masks = masks
        let lane = try Lane(threads: threads)
        return try lane.run {
            let session = try TrainingSession(
                resolved, outputs: graph.outputs, parameters: store, options: options)
            try session.setInput("x", to: x)
            // The second pass finds what the first has left.
            for _ in 0..<2 {
                try session.forward()
                _ = session.outputGradients[0].update(fromContentsOf: gradient)
                try session.backward()
            }
            return Pass(
                outputs: Array(session.outputs[0]), gradients: Array(store.gradients),
                inputGradient: try #require(session.inputGradient("x").map(Array.init)), store: store)
        }
    }

    private func expectClose(_ found: [Float], _ expected: [Float], _ what: String) {
        #expect(found.count == expected.count)
        let largest = expected.map(\.magnitude).max() ?? 0
        for (one, other) in zip(found, expected) where abs(one - other) > 1e-5 * largest {
            Issue.record("\(what): \(one) instead of \(other)")
            return
        }
    }

    @Test(arguments: [true, false], [1, 7, 16, 60, 200])
    func theSameAsWithZeros(isTransposed: Bool, batch: Int) throws {
        for (share, threads) in [(0.15, 1), (0.05, 1), (0.15, 2), (0, 1)] {
            let seed = UInt64(batch)
            let (graph, masks) = try network(isTransposed: isTransposed, keeping: share, seed: seed)
            let dense = try pass(graph, MaskSet(), batch: batch, threads: threads, seed: seed)
            let sparse = try pass(graph, masks, batch: batch, threads: threads, seed: seed)
            expectClose(sparse.outputs, dense.outputs, "outputs")
            expectClose(sparse.inputGradient, dense.inputGradient, "input's gradient")
            for entry in dense.store.trainable {
                var expected = Array(dense.gradients[entry.range])
                if let mask = masks[entry.value] {
                    for position in expected.indices where !mask[position] { expected[position] = 0 }
                }
                let found = Array(sparse.gradients[entry.range])
                expectClose(found, expected, "gradient of \(entry.name)")
                for (one, other) in zip(found, expected) where other == 0 { #expect(one == 0) }
            }
        }
    }

    /// With most of the weights kept products are dense, and gradients of all weights are there.
    @Test func littleToLeaveOutIsNotLeftOut() throws {
        let (graph, masks) = try network(isTransposed: true, keeping: 0.8, seed: 3)
        let sparse = try pass(graph, masks, batch: 16, threads: 1, seed: 3)
        let entry = try #require(sparse.store.trainable.first { $0.name == "first" })
        let mask = try #require(masks[entry.value])
        #expect(zip(sparse.gradients[entry.range], mask.kept).contains { !$1 && $0 != 0 })
    }
}
