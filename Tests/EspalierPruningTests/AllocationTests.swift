import EspalierGraphs
import EspalierPruning
import EspalierTensors
import Foundation
import Testing

/// Shares that a file gives to each layer.
struct AllocationTests {
    private func perceptron() throws -> Pruner {
        try Pruner(Network.perceptron([20, 30, 10, 5], dtype: .float32))
    }

    private func allocation(
        _ shares: KeyValuePairs<String, Double>, _ granularity: Granularity = .element
    ) throws -> LayerAllocation {
        try LayerAllocation(
            layers: shares.map { LayerAllocation.Layer(name: $0, sparsity: $1) }, granularity: granularity)
    }

    private func request(
        _ allocation: LayerAllocation, targets: [PruningTarget] = [], criterion: any Criterion = Magnitude()
    ) -> PruningRequest {
        PruningRequest(
            allocation.granularity, targets: targets, criterion: criterion, scope: AllocationScope(allocation)
        )
    }

    private func dropped(_ plan: PrunePlan) throws -> [Int] {
        try #require(plan.elements).map { Shape($0.shape).count - $0.kept }
    }

    @Test func everyLayerLosesItsShareExactly() throws {
        let pruner = try perceptron()
        // By the name of a layer, and of a weight.
        let plan = try pruner.plan(request(allocation(["fc1": 0.371, "fc3.weight": 0.8])))
        // 222.6 of 600 are rounded to nearest.
        #expect(try dropped(plan) == [223, 0, 40])
        #expect(plan.scope == "allocation")
        let receipt = try pruner.receipt(for: plan, after: try pruner.applying(plan))
        #expect(receipt.layers[1].refused == "the allocation does not list it")
        #expect(abs(try #require(receipt.layers[0].requested) - receipt.layers[0].achieved) < 1e-12)
        #expect(receipt.targets.isEmpty)
        // The least important ones go.
        let id = pruner.groups.layers[0].weight
        let sizes = try #require(pruner.graph.constants[id]).scalars(as: Float.self).map(\.magnitude)
        let kept = try #require(try pruner.masks(of: plan)[id]).kept
        let largest = try #require(sizes.indices.filter { !kept[$0] }.map { sizes[$0] }.max())
        #expect(sizes.indices.filter { kept[$0] }.allSatisfy { sizes[$0] >= largest })
    }

    @Test func aShareOfNothingLeavesALayerWhole() throws {
        let plan = try perceptron().plan(request(allocation(["fc1": 0, "fc2": 0.5])))
        #expect(try dropped(plan) == [0, 150, 0])
        #expect(plan.elements?[0].refused == "the allocation leaves it whole")
        // Not even where a target asks for all that there is.
        let more = try perceptron().plan(
            request(allocation(["fc1": 0, "fc2": 0.5]), targets: [.sparsity(0.99)]))
        #expect(try dropped(more) == [0, 297, 0])
    }

    @Test func groupsOfChannelsLoseTheirShares() throws {
        let pruner = try Pruner(Network.chain(dtype: .float32))
        // The first layer is pruned because it is listed; the last by its group's identifier, in vain.
        let plan = try pruner.plan(
            request(allocation(["conv1": 0.5, "conv2.weight": 0.333, "fc.weight": 0.2], .channel)))
        let channels = try #require(plan.channels)
        let counts = Dictionary(uniqueKeysWithValues: channels.map { ($0.group, $0.dropped.count) })
        #expect(counts["conv1.weight"] == 4 && counts["conv2.weight"] == 2 && counts["fc.weight"] == 0)
        #expect(channels.first { $0.group == "fc.weight" }?.refused?.contains("output") == true)
        let cut = try pruner.cut(plan)
        #expect(cut.constants[try #require(cut.value(named: "conv1.weight")).id]?.shape == [4, 1, 3, 3])
    }

    @Test func blocksLoseTheirShares() throws {
        let plan = try perceptron().plan(
            request(allocation(["fc1": 0.5, "fc2": 0.2], .blocks(outputs: 5, inputs: 5))))
        // 12 of 24 blocks of 25, and 2 of 12 (2.4 rounded).
        #expect(try dropped(plan) == [300, 50, 0])
    }

    /// Some t lies within the last removal and the next of every layer.
    @Test(arguments: [0.1, 0.3, 0.5, 0.7, 0.9], [1, 2] as [UInt64])
    func aTargetScalesAllSharesTogether(_ sparsity: Double, seed: UInt64) throws {
        let pruner = try perceptron()
        let shares = ["fc1": 0.3, "fc2": 0.6, "fc3": 0.9]
        let plan = try pruner.plan(
            request(
                allocation(["fc1": 0.3, "fc2": 0.6, "fc3": 0.9]), targets: [.sparsity(sparsity)],
                criterion: RandomScores(seed: seed)))
        let counts = try dropped(plan)
        #expect(counts.reduce(0, +) == Int((sparsity * 950 - 1e-6).rounded(.up)))
        var (least, most) = (0.0, Double.infinity)
        for (place, size) in [600.0, 300, 50].enumerated() {
            func progress(_ removed: Double) -> Double {
                log(1 - removed / size) / log(1 - (shares["fc\(place + 1)"] ?? 0))
            }
            let count = Double(counts[place])
            if count > 0 { least = max(least, progress(count - 0.5)) }
            // One weight is kept whatever t says.
            if count < size - 1 { most = min(most, progress(count + 0.5)) }
        }
        #expect(least <= most, "seed \(seed)")
    }

    @Test func costTargetsScaleTheSharesOfChannels() throws {
        let pruner = try Pruner(Network.chain(dtype: .float32))
        let shares = try allocation(["conv1": 0.25, "conv2": 0.5], .channel)
        for share in [0.9, 0.6, 0.3] {
            let plan = try pruner.plan(request(shares, targets: [.maxMultiplyAccumulates(share)]))
            let before = ModelSummary(pruner.resolved).totals.multiplyAccumulates
            let after = ModelSummary(try Pruner(pruner.cut(plan)).resolved).totals.multiplyAccumulates
            #expect(Double(after) <= share * Double(before))
        }
    }

    @Test(arguments: [0.25, 0.5, 0.8])
    func equalSharesAreTheUniformScope(_ sparsity: Double) throws {
        let pruner = try perceptron()
        let equal = try allocation(["fc1": 0.4, "fc2": 0.4, "fc3": 0.4])
        let plan = try pruner.plan(request(equal, targets: [.sparsity(sparsity)]))
        let uniform = try pruner.plan(
            PruningRequest(.element, targets: [.sparsity(sparsity)], scope: UniformScope()))
        #expect(plan.elements == uniform.elements)
    }

    @Test(arguments: [
        PruningSchedule(.cubic(interval: 1), end: 9), PruningSchedule(.iterative(rounds: 4), end: 9),
    ])
    func schedulesApproachTheShares(_ schedule: PruningSchedule) throws {
        let pruner = try perceptron()
        let shares = try allocation(["fc1": 0.3, "fc2": 0.6, "fc3": 0.9])
        var plan: PrunePlan?
        for step in 0...9 where schedule.prunes(at: step) {
            var request = request(shares, criterion: RandomScores(seed: UInt64(step)))
            request.targets = schedule.targets(at: step, final: request.targets)
            let next = try pruner.plan(request, continuing: plan)
            let progress = schedule.removedShare(at: step, final: 1)
            let expected = zip([600.0, 300, 50], [0.3, 0.6, 0.9]).map { size, share in
                size * (1 - pow(1 - share, progress))
            }
            for (count, wanted) in zip(try dropped(next), expected) {
                #expect(abs(Double(count) - wanted) <= 0.5 + 1e-9, "step \(step)")
            }
            if let plan {
                let (before, after) = (try pruner.masks(of: plan), try pruner.masks(of: next))
                for (id, mask) in before.masks {
                    let later = try #require(after[id])
                    #expect(zip(mask.kept, later.kept).allSatisfy { $0 || !$1 }, "step \(step)")
                }
            }
            plan = next
        }
        #expect(try dropped(try #require(plan)) == [180, 180, 45])
    }

    // MARK: - What does not fit

    private func expect(
        _ problem: String, _ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do {
            try body()
            Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        } catch {
            #expect("\(error)".contains(problem), "\(error)", sourceLocation: sourceLocation)
        }
    }

    @Test func namesThatFitNothingOrSeveralLayersAreRefused() throws {
        let pruner = try perceptron()
        expect("'fc9': no layer is called so; layers are called: fc1") {
            _ = try pruner.plan(request(allocation(["fc9": 0.5])))
        }
        expect("given 0.5, not 0.4") {
            _ = try pruner.plan(request(allocation(["fc1": 0.5, "fc1.weight": 0.4])))
        }
        var network = Network(dtype: .float32)
        let x = network.input("x", [.symbolic("N"), .fixed(4)])
        let first = network.weight("first", [4, 6])
        let second = network.weight("second", [6, 3])
        let hidden = network.builder.node("MatMul", name: "twin", inputs: [x, first])
        let output = network.builder.node("MatMul", name: "twin", inputs: [hidden, second])
        let twins = try Pruner(try network.finish(output))
        expect("several layers are called so; give their weights: first, second") {
            _ = try twins.plan(request(allocation(["twin": 0.5])))
        }
        #expect(try dropped(twins.plan(request(allocation(["first": 0.5, "second": 0.5])))) == [12, 9])
    }

    @Test func coupledLayersHaveOneShare() throws {
        var network = Network("residual", dtype: .float32)
        let x = network.image(channels: 2, size: 4)
        let stem = network.relu(network.convolution("stem", x, inputs: 2, outputs: 8))
        let branch = network.convolution("branch", stem, inputs: 8, outputs: 8)
        let sum = network.relu(network.add(stem, branch))
        let pruner = try Pruner(
            try network.finish(network.convolution("head", sum, inputs: 8, outputs: 3, kernel: 1)))
        expect("'branch': it shares 'stem.weight' with 'stem', which is given 0.5, not 0.25") {
            _ = try pruner.plan(request(allocation(["stem": 0.5, "branch": 0.25], .channel)))
        }
        let plan = try pruner.plan(request(allocation(["stem": 0.5, "branch": 0.5], .channel)))
        #expect(plan.channels?.first { $0.group == "stem.weight" }?.dropped.count == 4)
    }

    @Test func otherGranularitiesAreRefused() throws {
        let shares = try allocation(["fc1": 0.5], .channel)
        let asked = PruningRequest(.element, targets: [], scope: AllocationScope(shares))
        expect("of channel granularity, not element") { _ = try perceptron().plan(asked) }
    }

    @Test func documentsSurviveTheRoundTrip() throws {
        for granularity in [Granularity.element, .channel, .blocks(outputs: 4, inputs: 1)] {
            let allocation = try allocation(["conv/1 \"a\"": 0.25, "b": 0], granularity)
            #expect(try LayerAllocation(json: allocation.json()) == allocation)
        }
        let text =
            #"{"schemaVersion": 1, "granularity": "channel", "layers": [{"name": "conv1", "sparsity": 0.4}]}"#
        #expect(try LayerAllocation(json: Data(text.utf8)) == allocation(["conv1": 0.4], .channel))
    }

    @Test(arguments: [
        ("", "cannot be read"), ("{", "cannot be read"), ("[]", "cannot be read"),
        ("{}", "lacks 'schemaVersion'"),
        (#"{"schemaVersion": 7}"#, "schema version 7"),
        (#"{"schemaVersion": 1, "granularity": "element"}"#, "lacks 'layers'"),
        (#"{"schemaVersion": 1, "granularity": "molecule", "layers": []}"#, "granularity"),
        (#"{"schemaVersion": 1, "granularity": "element", "layers": []}"#, "no layers"),
        (#"{"schemaVersion": 1, "granularity": "2:4", "layers": [{"name": "a", "sparsity": 0.5}]}"#, "2:4"),
        (#"{"schemaVersion": 1, "granularity": "element", "layers": [{"name": "a"}]}"#, "layers[0]"),
        (
            #"{"schemaVersion": 1, "granularity": "element", "layers": [{"name": "a", "sparsity": "x"}]}"#,
            "layers[0]"
        ),
        (#"{"schemaVersion": 1, "granularity": "element", "layers": [{"name": "a", "sparsity": 1}]}"#, "'a'"),
        (
            #"{"schemaVersion": 1, "granularity": "element", "layers": [{"name": "a", "sparsity": -0.1}]}"#,
            "'a'"
        ),
        (
            #"{"schemaVersion": 1, "granularity": "element", "layers": [{"name": "a", "sparsity": 1e999}]}"#,
            ""
        ),
        (
            #"{"schemaVersion": 1, "granularity": "element", "layers": [{"name": "a", "sparsity": 0.1}, "#
                + #"{"name": "a", "sparsity": 0.1}]}"#, "listed twice"
        ),
    ])
    func damagedDocumentsSayWhatIsWrong(_ text: String, _ problem: String) {
        #expect(throws: PruningError.self) { try LayerAllocation(json: Data(text.utf8)) }
        if !problem.isEmpty { expect(problem) { _ = try LayerAllocation(json: Data(text.utf8)) } }
    }

    @Test(arguments: [Double.nan, .infinity, 1, -0.01])
    func sharesOutsideTheirRangeAreRefused(_ share: Double) {
        #expect(throws: PruningError.self) { try allocation(["fc1": share]) }
    }
}
