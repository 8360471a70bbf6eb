import EspalierGraphs
import EspalierPruning
import EspalierTensors
import Testing

/// N:M sparsity against a count by indices.
struct InputGroupPlanTests {
    /// Convolutions of all kinds, and a weight stored either way round.
    private func pruner(seed: UInt64 = 1) throws -> Pruner {
        var network = Network("mixed", seed: seed, dtype: .float32)
        let x = network.image(channels: 3, size: 4)
        let stem = network.relu(network.convolution("stem", x, inputs: 3, outputs: 10))
        let plain = network.relu(network.convolution("plain", stem, inputs: 10, outputs: 8))
        let depthwise = network.relu(
            network.convolution("depthwise", plain, inputs: 8, outputs: 8, groups: 8))
        let grouped = network.relu(
            network.convolution("grouped", depthwise, inputs: 8, outputs: 8, groups: 2))
        let flat = network.flatten(network.globalPool(grouped))
        let hidden = network.relu(network.linear("rows", flat, inputs: 8, outputs: 13))
        let columns = network.weight("columns.weight", [13, 6])
        let last = network.relu(network.builder.node("Gemm", name: "columns", inputs: [hidden, columns]))
        let product = network.weight("product.weight", [6, 5])
        return try Pruner(
            try network.finish(network.builder.node("MatMul", name: "product", inputs: [last, product])))
    }

    /// The axes of inputs of what may be pruned by fours.
    private let inputAxes = [
        "plain.weight": 1, "grouped.weight": 1, "rows.weight": 1, "columns.weight": 0, "product.weight": 0,
    ]

    private func request(
        _ kept: Int, _ size: Int, targets: [PruningTarget] = [], criterion: any Criterion = Magnitude()
    ) -> PruningRequest {
        PruningRequest(.inputGroups(kept: kept, of: size), targets: targets, criterion: criterion)
    }

    /// The positions of each group, complete or not.
    private func groups(_ shape: Shape, axis: Int, size: Int) -> [[Int]] {
        var groups: [[Int]: [Int]] = [:]
        for position in 0..<shape.count {
            var key = zip(shape.strides, shape.extents).map { position / $0 % $1 }
            key[axis] /= size
            groups[key, default: []].append(position)
        }
        return Array(groups.values)
    }

    @Test(arguments: [(2, 4), (1, 4), (3, 4), (1, 2), (3, 5)], [1, 2] as [UInt64])
    func everyGroupKeepsItsLargestWeights(_ pattern: (Int, Int), seed: UInt64) throws {
        let (keptCount, size) = pattern
        let pruner = try pruner(seed: seed)
        let masks = try pruner.masks(of: pruner.plan(request(keptCount, size)))
        var seen = 0
        for (name, axis) in inputAxes {
            let id = try #require(pruner.graph.value(named: name)).id
            let tensor = try #require(pruner.graph.constants[id])
            guard tensor.shape[axis] >= size else { continue }
            let mask = try #require(masks[id], "\(name)")
            let values = tensor.scalars(as: Float.self).map(\.magnitude)
            for group in groups(tensor.shape, axis: axis, size: size) {
                let kept = group.filter { mask.kept[$0] }
                #expect(kept.count == min(group.count, keptCount), "\(name), seed \(seed)")
                let gone = group.filter { !mask.kept[$0] }
                let least = kept.map { values[$0] }.min() ?? 0
                #expect(gone.allSatisfy { values[$0] <= least }, "\(name), seed \(seed)")
            }
            seen += 1
        }
        #expect(seen >= 3)
    }

    @Test func layersThatHaveNoSuchGroupsSayWhy() throws {
        let pruner = try pruner()
        let plan = try pruner.plan(request(2, 4))
        let receipt = try pruner.receipt(for: plan, after: try pruner.applying(plan))
        let layers = Dictionary(uniqueKeysWithValues: receipt.layers.map { ($0.name, $0) })
        #expect(layers["stem"]?.refused == "2:4 needs 4 inputs, it has 3")
        #expect(layers["depthwise"]?.refused?.contains("its inputs") == true)
        for name in ["stem", "depthwise"] {
            #expect(layers[name]?.achieved == 0 && layers[name]?.requested == nil)
        }
        #expect(layers["grouped"]?.achieved == 0.5 && layers["grouped"]?.requested == 0.5)
        // Of 10 inputs the last two are a group that keeps both.
        #expect(layers["plain"]?.achieved == 0.4)
        #expect(receipt.granularity.rawValue == "2:4")
        #expect(receipt.targets.isEmpty)
    }

    @Test func noSuchGroupsAnywhereIsAnError() throws {
        let pruner = try Pruner(Network.perceptron([3, 3, 3], dtype: .float32))
        #expect(throws: PruningError.self) { try pruner.plan(request(2, 4)) }
    }

    @Test func targetsAreOnlyChecked() throws {
        let pruner = try Pruner(Network.perceptron([16, 12, 8], dtype: .float32))
        let free = try pruner.plan(request(2, 4))
        let met = try pruner.plan(request(2, 4, targets: [.sparsity(0.3)]))
        #expect(met.elements == free.elements)
        for (target, nearest) in [(PruningTarget.sparsity(0.6), 0.5), (.maxMultiplyAccumulates(0.4), 0.5)] {
            do throws(PruningError) {
                _ = try pruner.plan(request(2, 4, targets: [target]))
                Issue.record("half is all that goes")
            } catch {
                guard case .infeasible(_, let value, _) = error else { throw error }
                #expect(abs(value - nearest) < 1e-12)
            }
        }
    }

    @Test func conflictsWithTheLeastKeptAreMistakes() throws {
        var request = request(1, 4)
        request.minimumKept = MinimumKept(fraction: 0.3)
        #expect(throws: PruningError.self) { try pruner().plan(request) }
        request.minimumKept = MinimumKept(fraction: 0.25)
        _ = try pruner().plan(request)
        var other = PruningRequest(.element, targets: [.sparsity(0.5)])
        other.targets = [.completion(1)]
        #expect(throws: PruningError.self) { try pruner().plan(other) }
    }

    /// On the way as many go of every group as the share of the schedule says, and none comes back.
    @Test(arguments: [
        PruningSchedule(.cubic(interval: 1), end: 12), PruningSchedule(.iterative(rounds: 5), end: 12),
        .oneShot(),
    ])
    func schedulesRaiseTheNumberThatGoes(_ schedule: PruningSchedule) throws {
        let pruner = try Pruner(Network.perceptron([32, 16, 8], dtype: .float32))
        var plan: PrunePlan?
        var last: [ValueID: Mask] = [:]
        for step in 0...12 where schedule.prunes(at: step) {
            // Other scores every time.
            var request = request(2, 8, criterion: RandomScores(seed: UInt64(step)))
            request.targets = schedule.targets(at: step, final: request.targets)
            let next = try pruner.plan(request, continuing: plan)
            let masks = try pruner.masks(of: next)
            let share = schedule.removedShare(at: step, final: 1)
            let expected = Int((6 * share).rounded())
            for layer in pruner.groups.layers {
                let kept = masks[layer.weight]?.kept ?? [Bool](repeating: true, count: layer.shape.count)
                for group in groups(layer.shape, axis: 1, size: 8) {
                    #expect(group.count { !kept[$0] } == expected, "step \(step)")
                }
                if let before = last[layer.weight] {
                    #expect(zip(before.kept, kept).allSatisfy { $0 || !$1 }, "step \(step)")
                }
            }
            (plan, last) = (next, masks.masks)
        }
        #expect(plan?.elements?.map(\.kept) == [128, 32])
    }

    @Test func whatIsZeroAlreadyGoesFirstAndStaysGone() throws {
        let pruner = try pruner()
        let half = try pruner.plan(request(2, 4))
        let sparse = try Pruner(pruner.applying(half))
        let random = RandomScores(seed: 8)
        let same = try sparse.plan(request(2, 4, criterion: random))
        #expect(try sparse.masks(of: same) == pruner.masks(of: half))
        // A denser pattern brings nothing back.
        let denser = try sparse.plan(request(3, 4, criterion: random))
        #expect(try sparse.masks(of: denser) == pruner.masks(of: half))
    }
}
