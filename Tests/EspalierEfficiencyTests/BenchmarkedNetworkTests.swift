import EspalierEfficiency
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierRuns
import EspalierTensors
import Testing

/// What a benchmark says of a network's work does not depend on how the file keeps its weights.
struct BenchmarkedNetworkTests {
    @Test(arguments: [nil, "Cast", "Transpose"] as [String?])
    func weightsBehindConstantNodesCount(preparation: String?) throws {
        var random = RandomSource(seed: 4)
        let (inputs, outputs) = (64, 96)
        let scalars = (0..<(inputs * outputs)).map { _ in random.uniform() < 0.1 ? Float(0.5) : 0 }
        let nonzeros = scalars.count { $0 != 0 }
        var builder = GraphBuilder(name: "prepared")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, inputs]))
        let weight: ValueID
        switch preparation {
        case "Cast":
            let half = builder.constant(
                "w", Tensor(shape: [inputs, outputs], scalars: scalars).converted(to: .float16))
            weight = builder.node("Cast", inputs: [half], attributes: ["to": .int(1)])
        case "Transpose":
            let other = builder.constant("w", Tensor(shape: [outputs, inputs], scalars: scalars))
            weight = builder.node("Transpose", inputs: [other], attributes: ["perm": .ints([1, 0])])
        default:
            weight = builder.constant("w", Tensor(shape: [inputs, outputs], scalars: scalars))
        }
        let y = builder.node("MatMul", name: "product", inputs: [x, weight])
        let graph = try builder.finish(outputs: [y])
        let lane = try Lane(threads: 1)
        let (macs, remaining, layers) = try lane.run {
            let network = try BenchmarkedNetwork(
                path: "", graph: graph, inputs: ["x": Tensor(zeros: [1, inputs])], threads: 1,
                costs: .typical(threads: 1))
            let totals = network.summary.totals
            let profiler = LayerProfiler(
                seconds: 0.01, ceilings: KernelCostModel.typical(threads: 1).ceilings,
                costs: .typical(threads: 1))
            return (
                totals.multiplyAccumulates, totals.effectiveMultiplyAccumulates,
                try profiler.layers(of: network)
            )
        }
        #expect(macs == inputs * outputs && remaining == nonzeros)
        let layer = try #require(layers.first { $0.name.contains("product") })
        #expect(layer.macs == inputs * outputs && layer.remainingMacs == nonzeros)
        #expect(layer.predictedUs != nil)
    }

    /// Each group of filters meets copies of its own inputs.
    @Test func groupsOfConvolutionsAreCounted() throws {
        var builder = GraphBuilder(name: "grouped")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 32, 14, 14]))
        let weight = builder.constant(
            "w", Tensor(shape: [64, 8, 3, 3], scalars: [Float](repeating: 1, count: 64 * 72)))
        let y = builder.node(
            "Conv", inputs: [x, weight], attributes: ["group": .int(4), "pads": .ints([1, 1, 1, 1])])
        let resolved = try ResolvedGraph(try builder.finish(outputs: [y]))
        let node = resolved.graph.nodes[0]
        let operation = try #require(resolved.operators[node.id])
        let signature = try #require(resolved.signatures[node.id])
        let work = try #require(
            KernelWork(operation, signature, weight: 1, nonzeros: 64 * 72, activationByteCount: 0))
        #expect(work.groups == 4 && work.rows == 64 && work.columns == 72 && work.samples == 196)
    }
}
