import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierTensors
import Testing

struct ChannelPlanTests {
    /// Three convolutions and a classifier, large enough for many units.
    private static func network() throws -> Graph {
        var network = Network(dtype: .float32)
        let x = network.image(channels: 3, size: 8)
        let first = network.relu(network.convolution("conv1", x, inputs: 3, outputs: 12))
        let second = network.relu(network.convolution("conv2", first, inputs: 12, outputs: 20))
        let third = network.relu(network.convolution("conv3", second, inputs: 20, outputs: 16))
        return try network.finish(network.linear("fc", network.flatten(third), inputs: 1024, outputs: 5))
    }

    private func share(_ cost: CostFunction, _ pruner: Pruner, _ plan: PrunePlan) throws -> Double {
        let before = ModelSummary(pruner.resolved).totals
        let after = ModelSummary(try ResolvedGraph(try pruner.cut(plan))).totals
        return cost.id == CostFunction.parameters.id
            ? Double(after.parameters) / Double(before.parameters)
            : Double(after.multiplyAccumulates) / Double(before.multiplyAccumulates)
    }

    @Test(
        arguments: [CostFunction.parameters, .multiplyAccumulates],
        Scopes.all.flatMap { scope in [0.75, 0.5, 0.25].map { (scope.information.id, $0) } })
    func costTargetsAreMetWithinOneUnit(_ cost: CostFunction, _ choice: (scope: String, share: Double)) throws
    {
        let pruner = try Pruner(Self.network())
        let plan = try pruner.plan(
            PruningRequest(
                .channel, targets: [.maximum(cost, share: choice.share)],
                scope: try Scopes.scope(choice.scope)))
        #expect(try share(cost, pruner, plan) <= choice.share)
        // The last unit that went was needed: with one more kept somewhere it would not be enough.
        var isTight = false
        let entries = try #require(plan.channels)
        for (place, entry) in entries.enumerated() {
            for unit in entry.dropped {
                var restored = plan
                restored.channels?[place].dropped.removeAll { $0 == unit }
                if try share(cost, pruner, restored) > choice.share { isTight = true }
            }
        }
        #expect(isTight)
    }

    @Test func sparsityCountsThePrunableParameters() throws {
        let pruner = try Pruner(Self.network())
        let plan = try pruner.plan(PruningRequest(.channel, targets: [.sparsity(0.5)]))
        let receipt = try pruner.receipt(for: plan, after: try pruner.cut(plan))
        let achieved = try #require(receipt.targets.first?.achieved)
        #expect(achieved >= 0.5 && achieved < 0.56)
    }

    @Test func severalTargetsAreAllMet() throws {
        let pruner = try Pruner(Self.network())
        let plan = try pruner.plan(
            PruningRequest(.channel, targets: [.maxMultiplyAccumulates(0.5), .maxParameters(0.4)]))
        #expect(try share(.multiplyAccumulates, pruner, plan) <= 0.5)
        #expect(try share(.parameters, pruner, plan) <= 0.4)
    }

    @Test func firstAndLastAreLeftAloneUnlessAskedFor() throws {
        let pruner = try Pruner(Self.network())
        var request = PruningRequest(
            .channel, targets: [.maxMultiplyAccumulates(0.5)], scope: UniformScope())
        let careful = try #require(try pruner.plan(request).channels)
        let first = try #require(careful.first { $0.group == "conv1.weight" })
        #expect(first.dropped.isEmpty)
        #expect(first.refused == "the first layer is left alone")
        request.prunesFirstAndLast = true
        let bold = try #require(try pruner.plan(request).channels)
        #expect(bold.first { $0.group == "conv1.weight" }?.dropped.isEmpty == false)
    }

    @Test func uniformTakesEqualShares() throws {
        let pruner = try Pruner(Self.network())
        let request = PruningRequest(
            .channel, targets: [.maxMultiplyAccumulates(0.4)], scope: UniformScope(), prunesFirstAndLast: true
        )
        let shares = try #require(try pruner.plan(request).channels).filter { $0.requested != nil }
            .map { (Double($0.dropped.count) / Double($0.size), 1 / Double($0.size)) }
        #expect(shares.count == 3)
        for (share, step) in shares { #expect(abs(share - shares[0].0) <= step) }
    }

    @Test func leastImportantUnitsGo() throws {
        let pruner = try Pruner(Self.network())
        let plan = try pruner.plan(PruningRequest(.channel, targets: [.maxMultiplyAccumulates(0.6)]))
        for entry in try #require(plan.channels) where !entry.dropped.isEmpty {
            let group = try #require(pruner.groups[entry.group])
            let scores = try Magnitude().unitScores(of: group, scene: ScoringScene(pruner.graph))
            let gone = Set(entry.dropped)
            let worstKept = try #require(
                scores.indices.filter { !gone.contains($0) }.map { scores[$0] }.min())
            #expect(gone.allSatisfy { scores[$0] <= worstKept })
        }
    }

    @Test func keptNumbersAreMultiples() throws {
        let pruner = try Pruner(Self.network())
        let request = PruningRequest(
            .channel, targets: [.maxMultiplyAccumulates(0.5)], prunesFirstAndLast: true, channelMultiple: 4)
        let entries = try #require(try pruner.plan(request).channels).filter { $0.requested != nil }
        #expect(entries.contains { !$0.dropped.isEmpty })
        for entry in entries { #expect((entry.size - entry.dropped.count) % 4 == 0) }
    }

    @Test func minimumKeptHolds() throws {
        let pruner = try Pruner(Self.network())
        let request = PruningRequest(
            .channel, targets: [.maxMultiplyAccumulates(0.17)], scope: UniformScope(),
            minimumKept: MinimumKept(count: 6, fraction: 0.25), prunesFirstAndLast: true)
        let entries = try #require(try pruner.plan(request).channels).filter { $0.requested != nil }
        for entry in entries {
            let kept = entry.size - entry.dropped.count
            #expect(kept >= 6 && Double(kept) >= 0.25 * Double(entry.size))
        }
        #expect(entries.contains { $0.refused != nil })
    }

    @Test func infeasibleTargetNamesTheNearest() throws {
        let pruner = try Pruner(Self.network())
        let request = PruningRequest(.channel, targets: [.maxMultiplyAccumulates(0.01)])
        do throws(PruningError) {
            _ = try pruner.plan(request)
            Issue.record("that is out of reach")
        } catch {
            guard case .infeasible(let target, let nearest, _) = error else { throw error }
            #expect(target.kind == "max-macs" && "\(error)".contains("multiply-accumulates"))
            // The nearest is itself within reach, and nothing below it is.
            #expect(nearest > 0.01 && nearest < 0.2)
            var reachable = request
            reachable.targets = [.maxMultiplyAccumulates(nearest + 1e-9)]
            _ = try pruner.plan(reachable)
            reachable.targets = [.maxMultiplyAccumulates(nearest - 1e-6)]
            #expect(throws: PruningError.self) { try pruner.plan(reachable) }
        }
    }

    @Test func earlierRoundsStayDropped() throws {
        let pruner = try Pruner(Self.network())
        let first = try pruner.plan(
            PruningRequest(
                .channel, targets: [.maxMultiplyAccumulates(0.7)], criterion: RandomScores(seed: 1)))
        let second = try pruner.plan(
            PruningRequest(
                .channel, targets: [.maxMultiplyAccumulates(0.4)], criterion: RandomScores(seed: 2)),
            continuing: first)
        for (before, after) in zip(try #require(first.channels), try #require(second.channels)) {
            #expect(Set(before.dropped).isSubset(of: after.dropped))
        }
        #expect(try share(.multiplyAccumulates, pruner, second) <= 0.4)
    }

    @Test func injectedCostsAreTargetsToo() throws {
        let pruner = try Pruner(Self.network())
        // Bytes written by every node that computes something.
        let traffic = CostFunction(id: "traffic", name: "bytes written") { _, operation, signature, _ in
            operation.multiplyAccumulates(signature, nonzeros: []) > 0
                ? Double(signature.outputShape().count * 4) : 0
        }
        let plan = try pruner.plan(PruningRequest(.channel, targets: [.maximum(traffic, share: 0.5)]))
        let after = try ResolvedGraph(try pruner.cut(plan))
        let written = ["conv1", "conv2", "conv3", "fc"].reduce(0) { sum, name in
            let node = after.graph.nodes.first { $0.name == name }
            return sum + (node.flatMap { after.signatures[$0.id] }?.outputShape().count ?? 0)
        }
        #expect(Double(written) <= 0.5 * Double(64 * (12 + 20 + 16) + 5))
        #expect(plan.targets.first?.kind == "max-traffic")
    }

    @Test func depthwiseCostsAreTrue() throws {
        var network = Network(dtype: .float32)
        let x = network.image(channels: 3, size: 6)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 8)
        let depthwise = network.convolution("depthwise", stem, inputs: 8, outputs: 8, groups: 8)
        let point = network.convolution("point", depthwise, inputs: 8, outputs: 12, kernel: 1)
        let pruner = try Pruner(
            try network.finish(network.convolution("last", point, inputs: 12, outputs: 2)))
        let plan = try pruner.plan(
            PruningRequest(.channel, targets: [.maxMultiplyAccumulates(0.5)], prunesFirstAndLast: true))
        let achieved = try share(.multiplyAccumulates, pruner, plan)
        #expect(achieved <= 0.5 && achieved > 0.35)
    }

    /// With a cost that falls in steps of four channels, the knapsack stops on steps: within one nothing is saved.
    @Test(arguments: [0.75, 0.5, 0.35])
    func knapsackStopsOnSteps(share: Double) throws {
        let pruner = try Pruner(Self.network())
        let steps = CostFunction(id: "steps", name: "blocks of four filters") { _, operation, signature, _ in
            let outputs = signature.outputShape()
            guard outputs.rank == 4, operation.multiplyAccumulates(signature, nonzeros: []) > 0 else {
                return 0
            }
            return Double((outputs[1] + 3) / 4)
        }
        let plan = try pruner.plan(
            PruningRequest(
                .channel, targets: [.maximum(steps, share: share)], scope: KnapsackScope(),
                prunesFirstAndLast: true))
        let kept = try #require(plan.channels).filter { $0.requested != nil }.map {
            $0.size - $0.dropped.count
        }
        #expect(kept.allSatisfy { $0.isMultiple(of: 4) }, "\(kept)")
        // 12, 20 and 16 channels are 3, 5 and 4 blocks.
        #expect(kept.reduce(0) { $0 + $1 / 4 } == Int((12 * share).rounded(.down)), "\(kept)")
    }
}
