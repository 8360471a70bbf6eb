import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

struct SensitivityTests {
    private static func resNet() throws -> Pruner {
        let network = try #require(Architectures.named("resnet-8"))
        return try Pruner(
            try network.graph(ArchitectureOptions(channels: 1, height: 8, width: 8, classCount: 10)))
    }

    private func isZero(_ tensor: Tensor, axis: Int, index: Int) -> Bool {
        var others = Mask(keepingAll: tensor.shape)
        others.dropSlice(axis: axis, index: index)
        return others.applied(to: tensor).nonzeroCount == tensor.nonzeroCount
    }

    /// The channels of a residual stream go from all that write and read them at once.
    @Test func coupledChannelsArePrunedTogether() throws {
        let pruner = try Self.resNet()
        let probes = try SensitivityProbes(
            pruner, PruningRequest(.channel, targets: [], prunesFirstAndLast: true), sparsities: [0.25],
            evidence: .none)
        #expect(probes.parts.map(\.size) == [16, 16, 32, 32, 64, 64])
        // The image's channels and the classes must stay.
        #expect(probes.refusals.map(\.name) == ["conv1.weight (inputs)", "fc.weight"])
        for part in probes.parts {
            let probe = try #require(part.probes.first)
            #expect(probe.count == part.size / 4)
            let group = try #require(pruner.groups[part.id])
            let network = try probes.network(with: probe)
            for member in group.members {
                let tensor = try #require(network.constants[member.axis.value])
                let gone = (0..<part.size).filter { unit in
                    member.indices(ofUnit: unit).allSatisfy { index in
                        isZero(tensor, axis: member.axis.axis, index: index)
                    }
                }
                #expect(gone.count >= probe.count, "\(member.name)")
            }
            // Nothing else is touched.
            let touched = Set(group.members.map(\.axis.value))
            for id in pruner.graph.parameters where !touched.contains(id) {
                let (now, before) = (network.constants[id], pruner.graph.constants[id])
                #expect(now?.scalars(as: Float.self) == before?.scalars(as: Float.self))
            }
        }
        let stem = try #require(probes.parts.first)
        #expect(stem.members.count == 2)
    }

    @Test func weightsOfOneLayerGoAtATime() throws {
        let graph = try Network.perceptron([6, 10, 8, 4], dtype: .float32)
        let pruner = try Pruner(graph)
        let probes = try SensitivityProbes(
            pruner, PruningRequest(.element, targets: []), sparsities: [0.5, 0, 0.21, 0.5], evidence: .none)
        #expect(probes.parts.map(\.name) == ["fc1", "fc2", "fc3"])
        #expect(probes.count == 6)
        for part in probes.parts {
            #expect(part.probes.map(\.sparsity) == [0.21, 0.5])
            for probe in part.probes {
                let share = probe.sparsity * Double(part.size)
                #expect(abs(Double(probe.count) - share) <= 0.5)
                let network = try probes.network(with: probe)
                for layer in pruner.groups.layers {
                    let zeros = try #require(network.constants[layer.weight]).nonzeroCount
                    #expect(zeros == layer.shape.count - (layer.name == part.name ? probe.count : 0))
                }
            }
        }
        // All multiply-accumulates are of these weights: what goes of one is saved of its share.
        let first = try #require(probes.parts.first?.probes.last)
        #expect(abs(first.macsSaved - 30 / Double(60 + 80 + 32)) < 1e-12)
    }

    /// Cost and damage of every allocation of a small network, by true surgery and brute force.
    @Test(arguments: [0.3, 0.5, 0.7], 1...4 as ClosedRange<UInt64>)
    func allocationMeetsTheTargetAndIsNearlyTheBest(share: Double, seed: UInt64) throws {
        var network = Network(dtype: .float32)
        let x = network.image(channels: 2, size: 4)
        let one = network.relu(network.convolution("one", x, inputs: 2, outputs: 6))
        let two = network.relu(network.convolution("two", one, inputs: 6, outputs: 6))
        let sum = network.add(one, two)
        let three = network.relu(network.convolution("three", sum, inputs: 6, outputs: 8))
        let pruner = try Pruner(
            try network.finish(network.linear("fc", network.flatten(three), inputs: 128, outputs: 3)))
        var random = RandomSource(seed: seed)
        let request = PruningRequest(
            .channel, targets: [.maxMultiplyAccumulates(share)], prunesFirstAndLast: true)
        let probes = try SensitivityProbes(pruner, request, sparsities: [0.5], evidence: .none)
        let parts = probes.parts.map { part in
            SensitivityAllocator.Part(
                id: part.id,
                curve: DamageCurve(
                    (1...9).map { (share: Double($0) / 10, increase: 5 * random.uniform() * Double($0)) }))
        }
        #expect(parts.count == 2)
        let shares = try SensitivityAllocator(pruner, request).shares(of: parts)
        let dense = ModelSummary(pruner.resolved).totals.multiplyAccumulates
        func kept(_ counts: [Int]) throws -> Double {
            var plan = try pruner.plan(request)
            for (part, count) in zip(parts, counts) {
                let place = try #require(plan.channels?.firstIndex { $0.group == part.id })
                plan.channels?[place].dropped = Array(0..<count)
            }
            let cut = ModelSummary(try ResolvedGraph(try pruner.cut(plan))).totals
            return Double(cut.multiplyAccumulates) / Double(dense)
        }
        func damage(_ counts: [Int]) -> Double {
            zip(parts, zip(shares, counts)).reduce(0) {
                $0 + $1.0.curve.damage(at: Double($1.1.1) / Double($1.1.0.size))
            }
        }
        let found = shares.map(\.removed)
        #expect(try kept(found) <= share)
        // As a file it makes the planner take just that, with no target that would scale it.
        let allocation = try LayerAllocation(
            layers: shares.map { .init(name: $0.id, sparsity: $0.sparsity) }, granularity: .channel)
        let plan = try pruner.plan(
            PruningRequest(.channel, targets: [], scope: AllocationScope(allocation)))
        for (part, count) in zip(parts, found) {
            #expect(plan.channels?.first { $0.group == part.id }?.dropped.count == count)
        }
        var best = Double.infinity
        for first in 0...5 {
            for second in 0...7 where try kept([first, second]) <= share {
                best = min(best, damage([first, second]))
            }
        }
        #expect(damage(found) >= best - 1e-12 && damage(found) <= 1.1 * best + 1e-12)
    }

    @Test func sparsityIsSharedInElements() throws {
        let pruner = try Pruner(try Network.perceptron([20, 30, 20, 5], dtype: .float32))
        let request = PruningRequest(.element, targets: [.sparsity(0.6)])
        let parts = ["fc1.weight", "fc2.weight", "fc3.weight"].enumerated().map { place, id in
            SensitivityAllocator.Part(
                id: id,
                curve: DamageCurve(
                    (1...9).map {
                        (share: 0.1 * Double($0), increase: 0.01 * Double(place + 1) * Double($0))
                    }))
        }
        let shares = try SensitivityAllocator(pruner, request).shares(of: parts)
        let (removed, size) = (shares.reduce(0) { $0 + $1.removed }, shares.reduce(0) { $0 + $1.size })
        #expect(Double(removed) >= 0.6 * Double(size) && Double(removed) < 0.62 * Double(size))
        // Per weight the last layer is by far the dearest.
        #expect(shares[2].removed == 0)
    }

    @Test func beyondWhatWasMeasuredNothingIsSuggested() throws {
        let pruner = try Pruner(try Network.perceptron([6, 10, 8, 4], dtype: .float32))
        let parts = ["fc1.weight", "fc2.weight", "fc3.weight"].map {
            SensitivityAllocator.Part(id: $0, curve: DamageCurve([(share: 0.5, increase: 1)]))
        }
        func shares(_ sparsity: Double) throws -> [SensitivityAllocator.Share] {
            try SensitivityAllocator(pruner, PruningRequest(.element, targets: [.sparsity(sparsity)]))
                .shares(of: parts)
        }
        #expect(try shares(0.5).map(\.sparsity) == [0.5, 0.5, 0.5])
        do {
            _ = try shares(0.6)
            Issue.record("that is out of reach")
        } catch PruningError.infeasible(_, let nearest, _) {
            #expect(abs(nearest - 0.5) < 1e-12)
        }
    }
}
