import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierTensors
import Testing

/// Block sparsity against a count by indices.
struct BlockPlanTests {
    private func pruner(seed: UInt64 = 1) throws -> Pruner {
        var network = Network("blocks", seed: seed, dtype: .float32)
        let x = network.image(channels: 5, size: 4)
        let first = network.relu(network.convolution("conv", x, inputs: 5, outputs: 10))
        let flat = network.flatten(network.globalPool(first))
        let hidden = network.relu(network.linear("rows", flat, inputs: 10, outputs: 13))
        let columns = network.weight("columns.weight", [13, 6])
        return try Pruner(
            try network.finish(network.builder.node("Gemm", name: "columns", inputs: [hidden, columns])))
    }

    private let axes = ["conv.weight": (0, 1), "rows.weight": (0, 1), "columns.weight": (1, 0)]

    private struct Block {
        let weight: ValueID
        let positions: [Int]
        let score: Double
    }

    /// All blocks of a network, with what the sizes of their weights amount to.
    private func blocks(
        _ pruner: Pruner, outputs: Int, inputs: Int, score: ([Double]) -> Double
    ) throws -> [Block] {
        var result: [Block] = []
        for (name, (row, input)) in axes {
            let id = try #require(pruner.graph.value(named: name)).id
            let tensor = try #require(pruner.graph.constants[id])
            var blocks: [[Int]: [Int]] = [:]
            for position in 0..<tensor.count {
                var key = zip(tensor.shape.strides, tensor.shape.extents).map { position / $0 % $1 }
                key[row] /= outputs
                key[input] /= inputs
                blocks[key, default: []].append(position)
            }
            let sizes = tensor.scalars(as: Double.self).map(\.magnitude)
            result += blocks.values.map { positions in
                Block(weight: id, positions: positions, score: score(positions.map { sizes[$0] }))
            }
        }
        return result
    }

    private static let scores: [(Reduction?, @Sendable ([Double]) -> Double)] = [
        (nil, { $0.reduce(0, +) / Double($0.count) }), (.mean, { $0.reduce(0, +) / Double($0.count) }),
        (.maximum, { $0.max() ?? 0 }),
        (.euclidean, { ($0.reduce(0) { $0 + $1 * $1 } / Double($0.count)).squareRoot() }),
    ]

    @Test(arguments: [(4, 1), (2, 3), (4, 4), (1, 8)], 0..<scores.count)
    func theLeastImportantBlocksGoUntilTheTargetIsMet(_ side: (Int, Int), _ reduction: Int) throws {
        for seed in [1, 2] as [UInt64] {
            let pruner = try pruner(seed: seed)
            let (aggregation, score) = Self.scores[reduction]
            let request = PruningRequest(
                .blocks(outputs: side.0, inputs: side.1), targets: [.sparsity(0.6)], aggregation: aggregation)
            let masks = try pruner.masks(of: pruner.plan(request))
            let total = 10 * 5 * 9 + 13 * 10 + 13 * 6
            var gone: [ValueID: Set<Int>] = [:]
            var count = 0
            let ranked = try blocks(pruner, outputs: side.0, inputs: side.1, score: score)
                .sorted { $0.score < $1.score }
            for block in ranked where Double(count) < 0.6 * Double(total) {
                gone[block.weight, default: []].formUnion(block.positions)
                count += block.positions.count
            }
            for (id, positions) in gone {
                let kept = try #require(masks[id]).kept
                #expect(Set(kept.indices.filter { !kept[$0] }) == positions, "seed \(seed)")
            }
            #expect(masks.masks.count == gone.count)
        }
    }

    @Test(arguments: Scopes.all.map { $0.information.id })
    func blocksOfOneAreSingleWeights(_ scope: String) throws {
        let pruner = try pruner()
        let scope = try Scopes.scope(scope)
        func elements(_ granularity: Granularity) throws -> [PrunePlan.Elements]? {
            try pruner.plan(
                PruningRequest(
                    granularity, targets: [.sparsity(0.7)], scope: scope,
                    minimumKept: MinimumKept(fraction: 0.1))
            ).elements
        }
        #expect(try elements(.blocks(outputs: 1, inputs: 1)) == elements(.element))
    }

    @Test func uniformTakesTheNearestShareOfEveryLayer() throws {
        let pruner = try Pruner(Network.perceptron([16, 12, 8], dtype: .float32))
        let plan = try pruner.plan(
            PruningRequest(
                .blocks(outputs: 4, inputs: 4), targets: [.sparsity(0.5)], scope: UniformScope()))
        // 6 of 12 blocks, and 3 of 6.
        #expect(plan.elements?.map(\.kept) == [96, 48])
        #expect(plan.elements?.map(\.requested) == [0.5, 0.5])
    }

    /// By their sums incomplete blocks would go first.
    @Test func smallBlocksAtTheEdgeAreNotPreferred() throws {
        var builder = GraphBuilder(name: "edge")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 5]))
        // Blocks of 2 inputs: the last has one, of larger size.
        let weight = builder.constant(
            "w", Tensor(shape: [1, 5], scalars: [0.7, 0.7, 0.8, 0.8, 0.9] as [Float]))
        let output = builder.node("Gemm", name: "fc", inputs: [x, weight], attributes: ["transB": .int(1)])
        let pruner = try Pruner(try builder.finish(outputs: [output]))
        for (sparsity, kept) in [
            (0.4, [false, false, true, true, true]), (0.8, [false, false, false, false, true]),
        ] {
            let plan = try pruner.plan(
                PruningRequest(.blocks(outputs: 1, inputs: 2), targets: [.sparsity(sparsity)]))
            #expect(try pruner.masks(of: plan)[weight]?.kept == kept)
        }
    }

    @Test(arguments: [CostFunction.parameters, .multiplyAccumulates], Scopes.all.map { $0.information.id })
    func costTargetsAreMetWithinOneBlock(_ cost: CostFunction, _ scope: String) throws {
        let pruner = try pruner()
        let plan = try pruner.plan(
            PruningRequest(
                .blocks(outputs: 4, inputs: 2), targets: [.maximum(cost, share: 0.4)],
                scope: try Scopes.scope(scope)))
        let before = ModelSummary(pruner.resolved).totals
        let after = ModelSummary(try ResolvedGraph(try pruner.applying(plan))).totals
        let isParameters = cost.id == CostFunction.parameters.id
        let total = isParameters ? before.parameters : before.multiplyAccumulates
        let now = isParameters ? after.nonzero : after.effectiveMultiplyAccumulates
        #expect(Double(now) <= 0.4 * Double(total))
        // Eight weights, of the convolution at 16 positions.
        #expect(Double(now) > 0.4 * Double(total) - (isParameters ? 8 : 8 * 16))
    }

    @Test func theLeastKeptHoldsAndIsReported() throws {
        let pruner = try Pruner(Network.perceptron([16, 12, 8], dtype: .float32))
        let request = PruningRequest(
            .blocks(outputs: 4, inputs: 4), targets: [.sparsity(0.5)],
            minimumKept: MinimumKept(fraction: 0.35))
        let entries = try #require(try pruner.plan(request).elements)
        for entry in entries {
            let size = Shape(entry.shape).count
            #expect(Double(entry.kept) >= 0.35 * Double(size))
            if let refused = entry.refused { #expect(refused.contains("kept at least")) }
        }
        var utmost = request
        // 7 of 12 blocks and 3 of 6 may go.
        utmost.targets = [.sparsity(0.65)]
        do throws(PruningError) {
            _ = try pruner.plan(utmost)
            Issue.record("that is out of reach")
        } catch {
            guard case .infeasible(_, let nearest, _) = error else { throw error }
            #expect(abs(nearest - Double(7 * 16 + 3 * 16) / Double(12 * 16 + 6 * 16)) < 1e-12)
        }
    }

    @Test func earlierRoundsStayDropped() throws {
        let pruner = try pruner()
        func request(_ seed: UInt64, _ sparsity: Double) -> PruningRequest {
            PruningRequest(
                .blocks(outputs: 4, inputs: 2), targets: [.sparsity(sparsity)],
                criterion: RandomScores(seed: seed))
        }
        let first = try pruner.plan(request(1, 0.4))
        let second = try pruner.plan(request(2, 0.7), continuing: first)
        let (before, after) = (try pruner.masks(of: first), try pruner.masks(of: second))
        for (id, mask) in before.masks {
            let later = try #require(after[id])
            #expect(zip(mask.kept, later.kept).allSatisfy { $0 || !$1 })
        }
    }

    /// Its one input per filter lies on no axis of inputs; blocks of one input need none.
    @Test func depthwiseConvolutionsTakeBlocksOfOutputs() throws {
        var network = Network("depthwise", dtype: .float32)
        let x = network.image(channels: 8, size: 4)
        let output = network.convolution("depthwise", x, inputs: 8, outputs: 8, groups: 8)
        let pruner = try Pruner(try network.finish(output))
        let plan = try pruner.plan(
            PruningRequest(.blocks(outputs: 4, inputs: 1), targets: [.sparsity(0.5)]))
        #expect(plan.elements?.map(\.kept) == [36])
        #expect(throws: PruningError.self) {
            try pruner.plan(PruningRequest(.blocks(outputs: 4, inputs: 2), targets: [.sparsity(0.5)]))
        }
    }
}
