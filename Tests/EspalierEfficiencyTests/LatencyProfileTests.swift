import EspalierEfficiency
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierTensors
import Testing

/// A latency as a cost: measured as a network is, predicted for what may become of it.
struct LatencyProfileTests {
    private static func network() throws -> (graph: Graph, inputs: [ValueID: Tensor]) {
        var builder = GraphBuilder(name: "network")
        var random = RandomSource(seed: 1)
        func noise(_ shape: Shape) -> Tensor {
            Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal()) })
        }
        let shape: Shape = [1, 8, 14, 14]
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: shape))
        var value = x
        for place in 0..<3 {
            let weight = builder.constant("w\(place)", noise([64, place == 0 ? 8 : 64, 3, 3]))
            value = builder.node(
                "Conv", name: "conv\(place)", inputs: [value, weight],
                attributes: ["pads": .ints([1, 1, 1, 1])])
            value = builder.node("Relu", inputs: [value])
        }
        value = builder.node("GlobalAveragePool", inputs: [value])
        value = builder.node("Flatten", inputs: [value])
        value = builder.node("Gemm", name: "fc", inputs: [value, builder.constant("w", noise([64, 10]))])
        return (try builder.finish(outputs: [value]), [x: noise(shape)])
    }

    private static func profile() throws -> (profile: LatencyProfile, pruner: Pruner) {
        let (graph, inputs) = try network()
        let lane = try Lane(threads: 1)
        let profile = try lane.run {
            try LatencyProfile(graph, inputs: inputs, threads: 1, costs: .typical(threads: 1), duration: 0.05)
        }
        return (profile, try Pruner(graph, inputShapes: inputs.mapValues(\.shape)))
    }

    /// What is predicted for the network as it is is what was measured.
    @Test func theWholeIsTheSumOfItsNodes() throws {
        let (profile, pruner) = try Self.profile()
        let resolved = pruner.resolved
        let sum = resolved.graph.nodes.reduce(0.0) { sum, node in
            guard let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id]
            else {
                return sum
            }
            return sum
                + profile.costFunction.nodeCost(
                    node.id, operation, signature, signature.inputs.map { _ in nil })
        }
        #expect(profile.seconds > 0 && abs(sum / profile.seconds - 1) < 1e-9)
    }

    /// Files may give several nodes one name.
    @Test func nodesOfOneNameHaveTimesOfTheirOwn() throws {
        var builder = GraphBuilder(name: "namesakes")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 256]))
        var value = x
        for (inputs, outputs) in [(256, 512), (512, 128)] {
            let weight = builder.constant(
                "w",
                Tensor(shape: [inputs, outputs], scalars: [Float](repeating: 1, count: inputs * outputs)))
            value = builder.node("Gemm", name: "fc", inputs: [value, weight])
        }
        let graph = try builder.finish(outputs: [value])
        let lane = try Lane(threads: 1)
        let profile = try lane.run {
            try LatencyProfile(
                graph, inputs: [x: Tensor(zeros: [1, 256])], threads: 1, costs: .typical(threads: 1),
                duration: 0.05)
        }
        let resolved = try ResolvedGraph(graph)
        let costs = try resolved.graph.nodes.map { node in
            let operation = try #require(resolved.operators[node.id])
            let signature = try #require(resolved.signatures[node.id])
            return profile.costFunction.nodeCost(
                node.id, operation, signature, signature.inputs.map { _ in nil })
        }
        #expect(costs.count == 2 && costs.allSatisfy { $0 > 0 })
    }

    /// Fewer nonzeros never cost more, and very few less; where dense is predicted to be as fast nothing changes.
    @Test func zerosAreWorthWhatTheModelSays() throws {
        let (profile, pruner) = try Self.profile()
        let resolved = pruner.resolved
        let node = try #require(resolved.graph.nodes.first { $0.label == "conv1" })
        let (operation, signature) = (
            try #require(resolved.operators[node.id]), try #require(resolved.signatures[node.id])
        )
        let costs = [64 * 64 * 9, 30_000, 10_000, 2_000, 100].map {
            profile.costFunction.nodeCost(node.id, operation, signature, [nil, $0, nil])
        }
        #expect(costs == costs.sorted(by: >) && costs[4] < costs[0] / 3)
    }

    /// Kernels for few input channels multiply zeros like all weights.
    @Test func zerosAreWorthNothingWhereNoKernelLeavesThemOut() throws {
        var builder = GraphBuilder(name: "first")
        let shape: Shape = [1, 1, 28, 28]
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: shape))
        let weight = Tensor(shape: [20, 1, 5, 5], scalars: (0..<500).map { Float($0 + 1) })
        let output = builder.node("Conv", inputs: [x, builder.constant("w", weight)])
        let graph = try builder.finish(outputs: [output])
        let profile = try Lane(threads: 1).run {
            try LatencyProfile(
                graph, inputs: [x: Tensor(zeros: shape)], threads: 1, costs: .typical(threads: 1),
                duration: 0.05)
        }
        let resolved = try ResolvedGraph(graph)
        let node = resolved.graph.nodes[0]
        let operation = try #require(resolved.operators[node.id])
        let signature = try #require(resolved.signatures[node.id])
        let costs = [500, 499, 50].map {
            profile.costFunction.nodeCost(node.id, operation, signature, [nil, $0])
        }
        #expect(costs[0] > 0 && costs[1] == costs[0] && costs[2] == costs[0])
    }

    /// The product of one vector with each of several matrices is no convolution.
    @Test func vectorsTimesBatchesOfMatricesHaveCosts() throws {
        var builder = GraphBuilder(name: "batched")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [8]))
        let weights = builder.constant("w", Tensor(zeros: [3, 8, 5]))
        let output = builder.node("MatMul", inputs: [x, weights])
        let graph = try builder.finish(outputs: [output])
        let profile = try Lane(threads: 1).run {
            try LatencyProfile(
                graph, inputs: [x: Tensor(zeros: [8])], threads: 1, costs: .typical(threads: 1),
                duration: 0.05)
        }
        #expect(profile.seconds > 0)
        let resolved = try ResolvedGraph(graph)
        let node = resolved.graph.nodes[0]
        let operation = try #require(resolved.operators[node.id])
        let signature = try #require(resolved.signatures[node.id])
        #expect(profile.costFunction.nodeCost(node.id, operation, signature, [nil, nil]) > 0)
    }

    @Test(arguments: [0.9, 0.6])
    func latencyIsATargetForPlans(share: Double) throws {
        let (profile, pruner) = try Self.profile()
        let cost = profile.costFunction
        for granularity in [Granularity.channel, .element] {
            let plan = try pruner.plan(
                PruningRequest(granularity, targets: [.maximum(cost, share: share)], scope: KnapsackScope()))
            let receipt = try pruner.receipt(for: plan, after: try pruner.applying(plan), costs: [cost])
            let achieved = try #require(receipt.targets.first?.achieved)
            #expect(receipt.targets.first?.kind == "max-latency" && achieved <= share * (1 + 1e-9))
            #expect(achieved > 0.5 * share)
        }
    }
}
