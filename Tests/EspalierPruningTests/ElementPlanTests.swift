import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierTensors
import Testing

struct ElementPlanTests {
    private func pruner(_ widths: [Int] = [20, 30, 10, 5]) throws -> Pruner {
        try Pruner(Network.perceptron(widths, dtype: .float32))
    }

    private func dropped(_ plan: PrunePlan) throws -> [Int] {
        try #require(plan.elements).map { Shape($0.shape).count - $0.kept }
    }

    @Test(arguments: Scopes.all.map { $0.information.id }, [0, 0.1, 0.333, 0.5, 0.57, 0.9, 0.98])
    func everyScopeMeetsTheSparsityExactly(_ scope: String, _ sparsity: Double) throws {
        let pruner = try pruner()
        let request = PruningRequest(.element, targets: [.sparsity(sparsity)], scope: try Scopes.scope(scope))
        let plan = try pruner.plan(request)
        let total = 20 * 30 + 30 * 10 + 10 * 5
        let expected = Int((sparsity * Double(total) - 1e-6).rounded(.up))
        #expect(try dropped(plan).reduce(0, +) == expected)
        let masks = try pruner.masks(of: plan)
        #expect(masks.masks.values.reduce(0) { $0 + $1.shape.count - $1.keptCount } == expected)
    }

    @Test func uniformTakesTheSameShareOfEveryLayer() throws {
        let plan = try pruner().plan(
            PruningRequest(.element, targets: [.sparsity(0.6)], scope: UniformScope()))
        #expect(try dropped(plan) == [360, 180, 30])
    }

    @Test func globalMagnitudeDropsTheSmallestWeightsAnywhere() throws {
        let pruner = try pruner()
        let plan = try pruner.plan(PruningRequest(.element, targets: [.sparsity(0.7)]))
        let masks = try pruner.masks(of: plan)
        var (kept, gone): ([Float], [Float]) = ([], [])
        for layer in pruner.groups.layers {
            let values = try #require(pruner.graph.constants[layer.weight]).scalars(as: Float.self)
            let mask = try #require(masks[layer.weight])
            for (value, keep) in zip(values, mask.kept) {
                if keep { kept.append(value.magnitude) } else { gone.append(value.magnitude) }
            }
        }
        #expect(try #require(gone.max()) <= #require(kept.min()))
    }

    @Test func biasesStay() throws {
        let pruner = try pruner()
        let masks = try pruner.masks(of: pruner.plan(PruningRequest(.element, targets: [.sparsity(0.9)])))
        let names = masks.masks.keys.map { pruner.graph.name(of: $0) }.sorted()
        #expect(names == ["fc1.weight", "fc2.weight", "fc3.weight"])
    }

    @Test func minimumKeptHoldsAndIsReported() throws {
        let pruner = try pruner()
        let request = PruningRequest(
            .element, targets: [.sparsity(0.9)], minimumKept: MinimumKept(count: 1, fraction: 0.4),
            keep: ["fc2*"])
        // 650 weights take part; at most 60 % of each may go.
        do throws(PruningError) {
            _ = try pruner.plan(request)
            Issue.record("that is out of reach")
        } catch {
            guard case .infeasible(_, let nearest, _) = error else { throw error }
            #expect(abs(nearest - 0.6) < 1e-12)
        }
        var easier = request
        easier.targets = [.sparsity(0.55)]
        let plan = try pruner.plan(easier)
        let entries = try #require(plan.elements)
        #expect(entries[1].refused == "kept by the pattern 'fc2*'")
        #expect(entries[1].kept == 300 && entries[1].mask == nil && entries[1].requested == nil)
        for entry in [entries[0], entries[2]] {
            let size = Double(Shape(entry.shape).count)
            #expect(Double(entry.kept) >= 0.4 * size)
            let requested = try #require(entry.requested)
            let achieved = 1 - Double(entry.kept) / size
            #expect(entry.refused != nil ? requested > achieved : abs(requested - achieved) < 1e-12)
        }
    }

    @Test func patternsThatFitNothingAreMistakes() throws {
        let request = PruningRequest(.element, targets: [.sparsity(0.5)], keep: ["conv*"])
        #expect(throws: PruningError.self) { try pruner().plan(request) }
    }

    @Test(arguments: [-0.1, 1, .nan, 7])
    func targetsOutsideTheirRangeAreRefused(_ sparsity: Double) throws {
        #expect(throws: PruningError.self) {
            try pruner().plan(PruningRequest(.element, targets: [.sparsity(sparsity)]))
        }
    }

    @Test(arguments: [CostFunction.parameters, .multiplyAccumulates], Scopes.all.map { $0.information.id })
    func costTargetsAreMetWithinOneWeight(_ cost: CostFunction, _ scope: String) throws {
        var network = Network(dtype: .float32)
        let x = network.image(channels: 2, size: 6)
        let first = network.relu(network.convolution("conv", x, inputs: 2, outputs: 6))
        let graph = try network.finish(network.linear("fc", network.flatten(first), inputs: 216, outputs: 4))
        let pruner = try Pruner(graph)
        let share = 0.3
        let plan = try pruner.plan(
            PruningRequest(.element, targets: [.maximum(cost, share: share)], scope: try Scopes.scope(scope)))
        let before = ModelSummary(pruner.resolved).totals
        let after = ModelSummary(try ResolvedGraph(try pruner.applying(plan))).totals
        let isParameters = cost.id == CostFunction.parameters.id
        let total = isParameters ? before.parameters : before.multiplyAccumulates
        let now = isParameters ? after.nonzero : after.effectiveMultiplyAccumulates
        #expect(Double(now) <= share * Double(total))
        // One weight of the convolution is used at 36 positions, the most there is.
        #expect(Double(now) > share * Double(total) - (isParameters ? 1 : 36))
    }

    @Test func whatIsZeroAlreadyCountsAndGoesFirst() throws {
        let pruner = try pruner()
        let half = try pruner.plan(PruningRequest(.element, targets: [.sparsity(0.5)]))
        let sparse = try Pruner(pruner.applying(half))
        let more = try sparse.plan(
            PruningRequest(.element, targets: [.sparsity(0.6)], criterion: RandomScores(seed: 3)))
        #expect(try dropped(more).reduce(0, +) == 570)
        let (before, after) = (try pruner.masks(of: half), try sparse.masks(of: more))
        for (id, mask) in before.masks {
            let later = try #require(after[id])
            #expect(zip(mask.kept, later.kept).allSatisfy { $0 || !$1 })
        }
    }

    @Test func earlierRoundsStayDropped() throws {
        let pruner = try pruner()
        let random = PruningRequest(.element, targets: [.sparsity(0.4)], criterion: RandomScores(seed: 1))
        let first = try pruner.plan(random)
        let second = try pruner.plan(
            PruningRequest(.element, targets: [.sparsity(0.7)], criterion: RandomScores(seed: 2)),
            continuing: first)
        let (before, after) = (try pruner.masks(of: first), try pruner.masks(of: second))
        for (id, mask) in before.masks {
            let later = try #require(after[id])
            #expect(zip(mask.kept, later.kept).allSatisfy { $0 || !$1 })
        }
        #expect(try dropped(second).reduce(0, +) == 665)
    }

    /// What was pruned before stays so in weights that take no part, whatever keeps them out.
    @Test func zerosOfWeightsLeftAloneAreMasked() throws {
        let pruner = try pruner()
        let half = try pruner.plan(
            PruningRequest(.element, targets: [.sparsity(0.5)], scope: UniformScope()))
        let sparse = try Pruner(pruner.applying(half))
        let weight = try #require(sparse.graph.value(named: "fc2.weight")).id
        let mask = try #require(try pruner.masks(of: half)[weight])
        let allocation = try LayerAllocation(
            layers: [.init(name: "fc1", sparsity: 0.7), .init(name: "fc3", sparsity: 0.7)],
            granularity: .element)
        let requests = [
            PruningRequest(.element, targets: [.sparsity(0.7)], keep: ["fc2*"]),
            PruningRequest(.blocks(outputs: 2, inputs: 2), targets: [.sparsity(0.7)], keep: ["fc2*"]),
            PruningRequest(.inputGroups(kept: 1, of: 4), targets: [], keep: ["fc2*"]),
            PruningRequest(.element, targets: [], scope: AllocationScope(allocation)),
        ]
        for request in requests {
            let plan = try sparse.plan(request)
            let entry = try #require(plan.elements?[1])
            #expect(entry.refused != nil && entry.requested == nil && entry.kept == 150)
            #expect(try sparse.masks(of: plan)[weight] == mask)
            #expect(try sparse.heldZeros(for: request) == MaskSet([weight: mask]))
            // With newer weights, in a later round, and where training finds the zeros.
            let later = try sparse.plan(request, parameters: pruner.graph, continuing: plan)
            #expect(try sparse.masks(of: later)[weight] == mask)
            let found = sparse.plan(request, droppingZerosOf: pruner.graph, method: "none")
            #expect(request.scope is AllocationScope || found.elements?[1] == entry)
        }
        // A round that leaves a weight alone does not give back what an earlier one took.
        let next = try pruner.plan(requests[0], continuing: half)
        #expect(try pruner.masks(of: next)[weight] == mask)
    }

    /// A weight that is all zero was never trained: it is masked nowhere, and counts whole.
    @Test func zeroWeightsLeftAloneAreNotTakenForPruned() throws {
        let graph = try Network.perceptron([20, 30, 10, 5], dtype: .float32)
        var patch = Patch(for: graph)
        let weight = try #require(graph.value(named: "fc2.weight")).id
        patch.append(.setConstant(weight, Tensor(zeros: [10, 30])))
        let pruner = try Pruner(graph.applying(patch))
        let request = PruningRequest(.element, targets: [.maxParameters(0.5)], keep: ["fc2*"])
        let plan = try pruner.plan(request)
        let entries = try #require(plan.elements)
        #expect(entries[1].kept == 300 && entries[1].mask == nil)
        #expect(try pruner.heldZeros(for: request).masks.isEmpty)
        // Of 950 weights and 45 biases.
        #expect(entries.reduce(45) { $0 + $1.kept } == 497)
    }

    @Test func weightsOfOpaqueNodesAreLeftAloneAndSaidSo() throws {
        var network = Network(dtype: .float32)
        let x = network.input("x", [.symbolic("N"), .fixed(4)])
        let hidden = network.linear("fc", x, inputs: 4, outputs: 6)
        let strange = network.weight("strange.weight", [6, 6])
        let output = network.builder.node(
            "Mystery", domain: "com.example", name: "strange", inputs: [hidden, strange])
        let pruner = try Pruner(try network.finish(output))
        let plan = try pruner.plan(PruningRequest(.element, targets: [.sparsity(0.5)]))
        let entries = try #require(plan.elements)
        #expect(entries.map(\.parameter) == ["fc.weight", "strange.weight"])
        #expect(entries[0].kept == 12)
        #expect(entries[1].refused?.contains("not understood") == true)
    }
}
