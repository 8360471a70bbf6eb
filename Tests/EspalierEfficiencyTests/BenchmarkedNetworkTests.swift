import EspalierEfficiency
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierRuns
import EspalierTensors
import Testing

/// What a benchmark says of a network's work does not depend on how the file keeps its weights, nor on how it calls its nodes.
struct BenchmarkedNetworkTests {
    private static func profile(
        _ graph: Graph, _ inputs: [String: Tensor]
    ) throws -> (totals: ModelSummary.Totals, layers: [RunRecord.BenchmarkedLayer]) {
        let lane = try Lane(threads: 1)
        return try lane.run {
            let costs = KernelCostModel.typical(threads: 1)
            let network = try BenchmarkedNetwork(
                path: "", graph: graph, inputs: inputs, threads: 1, costs: costs)
            let profiler = LayerProfiler(seconds: 0.01, ceilings: costs.ceilings, costs: costs)
            return (network.summary.totals, try profiler.layers(of: network))
        }
    }

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
        let (totals, layers) = try Self.profile(graph, ["x": Tensor(zeros: [1, inputs])])
        #expect(totals.multiplyAccumulates == inputs * outputs)
        #expect(totals.effectiveMultiplyAccumulates == nonzeros)
        let layer = try #require(layers.first { $0.name.contains("product") })
        #expect(layer.macs == inputs * outputs && layer.remainingMacs == nonzeros)
        #expect(layer.predictedUs != nil)
    }

    /// Files may give several nodes one name.
    @Test func nodesOfOneNameAreLayersOfTheirOwn() throws {
        var builder = GraphBuilder(name: "namesakes")
        var value = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 64]))
        for (inputs, outputs) in [(64, 96), (96, 32)] {
            let weight = builder.constant(
                "w",
                Tensor(shape: [inputs, outputs], scalars: [Float](repeating: 1, count: inputs * outputs)))
            value = builder.node("Gemm", name: "fc", inputs: [value, weight])
        }
        let graph = try builder.finish(outputs: [value])
        let layers = try Self.profile(graph, ["x": Tensor(zeros: [1, 64])]).layers.filter { $0.macs > 0 }
        #expect(layers.map(\.name) == ["fc", "fc"])
        #expect(layers.map(\.macs) == [64 * 96, 96 * 32])
        #expect(layers.map(\.remainingMacs) == [64 * 96, 96 * 32])
        #expect(layers.allSatisfy { $0.medianUs != nil && $0.denseUs != nil })
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
