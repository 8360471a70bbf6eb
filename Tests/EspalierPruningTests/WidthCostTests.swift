import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

/// What a network costs at other widths is what the network costs that is cut to them.
struct WidthCostTests {
    private static let functions: [CostFunction] = [.multiplyAccumulates, .parameters, .bytes]

    private static func graph(_ name: String, seed: UInt64) throws -> Graph {
        let options = ArchitectureOptions(
            channels: 1, height: 8, width: 8, classCount: 4, widthMultiplier: 0.5, seed: seed)
        if let architecture = Architectures.named(name) { return try architecture.graph(options) }
        // Concatenation, split, squeeze and excitation, groups.
        var network = Network(name, seed: seed)
        let x = network.image(channels: 3, size: 5)
        let left = network.convolution("left", x, inputs: 3, outputs: 6)
        let right = network.relu(network.convolution("right", x, inputs: 3, outputs: 5))
        let joined = network.concatenation([left, network.relu(right)])
        let parts = network.split(joined, sizes: [4, 7])
        let excited = network.excitation("se", parts[1], channels: 7, squeezed: 3)
        let depthwise = network.convolution("depthwise", excited, inputs: 7, outputs: 14, groups: 7)
        let grouped = network.convolution("grouped", depthwise, inputs: 14, outputs: 6, groups: 2)
        let sum = network.add(grouped, network.convolution("skip", parts[0], inputs: 4, outputs: 6))
        let flat = network.flatten(network.relu(sum))
        return try network.finish(network.linear("fc", flat, inputs: 150, outputs: 3))
    }

    @Test(
        arguments: ["tiny-cnn", "resnet-8", "mobilenet-tiny", "branches"], 1...4 as ClosedRange<UInt64>)
    func costIsThatOfTheCutNetwork(name: String, seed: UInt64) throws {
        let pruner = try Pruner(Self.graph(name, seed: seed))
        let groups = pruner.groups.open
        #expect(groups.count >= 3)
        var random = RandomSource(seed: seed)
        for function in Self.functions {
            let widths = WidthCosts(function, pruner, groups: groups)
            let dense = pruner.cost(function)
            /// Which units go makes no difference: they are alike.
            func cut(_ gone: [Int]) throws -> Double {
                var dropped: [(group: PruningGroup, units: [Int])] = []
                for (group, count) in zip(groups, gone) where count > 0 {
                    let units = (0..<group.size).shuffled(using: &random).prefix(count).sorted()
                    dropped.append((group, units))
                }
                return try Pruner(pruner.cut(dropping: dropped)).cost(function) / dense
            }
            #expect(widths.cost(gone: groups.map { _ in 0 }) == 1)
            for trial in 0..<3 {
                // The second time as narrow as can be.
                let gone = groups.map { group in
                    trial == 1 ? group.size - 1 : Int.random(in: 0..<group.size, using: &random)
                }
                let cost = try cut(gone)
                #expect(abs(widths.cost(gone: gone) - cost) < 1e-12, "seed \(seed), \(gone)")
                let savings = widths.savings(gone: gone)
                for place in groups.indices {
                    var next = gone
                    next[place] += 1
                    if next[place] == groups[place].size {
                        #expect(savings[place] == 0)
                    } else {
                        #expect(savings[place] == widths.cost(gone: gone) - widths.cost(gone: next))
                        #expect(savings[place] > 0)
                    }
                }
                // Of one of them by surgery, too.
                let place = Int.random(in: groups.indices, using: &random)
                var next = gone
                next[place] += 1
                guard next[place] < groups[place].size else { continue }
                let saving = try cost - cut(next)
                #expect(abs(savings[place] - saving) < 1e-12, "seed \(seed), \(gone), \(place)")
            }
        }
    }

    /// Zeros in weights: the cost is that of the network with zeros there.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func zerosCostNothing(seed: UInt64) throws {
        var network = Network("zeros", seed: seed)
        let x = network.image(channels: 3, size: 5)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        let depthwise = network.relu(network.convolution("depthwise", stem, inputs: 6, outputs: 6, groups: 6))
        let sum = network.add(stem, network.normalization("norm", depthwise, channels: 6))
        let head = network.linear("fc", network.flatten(sum), inputs: 150, outputs: 3)
        let graph = try network.finish(head)
        let pruner = try Pruner(graph)
        let weights = try pruner.openWeights(for: PruningRequest(.element, targets: []))
        #expect(weights.map { graph.name(of: $0) } == ["stem.weight", "depthwise.weight", "fc.weight"])
        let (macs, parameters) = (
            WidthCosts(.multiplyAccumulates, pruner, weights: weights),
            WidthCosts(.parameters, pruner, weights: weights)
        )
        let before = ModelSummary(pruner.resolved).totals
        var random = RandomSource(seed: seed)
        for _ in 0..<4 {
            let sizes = weights.map { graph.constants[$0]?.count ?? 0 }
            let gone = sizes.map { Int.random(in: 0..<$0, using: &random) }
            var masks = MaskSet()
            for (weight, count) in zip(weights, gone) {
                guard let shape = graph.constants[weight]?.shape else { continue }
                var mask = Mask(keepingAll: shape)
                for place in (0..<shape.count).shuffled(using: &random).prefix(count) { mask[place] = false }
                masks[weight] = mask
            }
            let after = ModelSummary(try Pruner(pruner.masked(masks)).resolved).totals
            let share = Double(after.effectiveMultiplyAccumulates) / Double(before.multiplyAccumulates)
            #expect(abs(macs.cost(gone: gone) - share) < 1e-12, "seed \(seed), \(gone)")
            #expect(
                abs(parameters.cost(gone: gone) - Double(after.nonzero) / Double(before.parameters)) < 1e-12)
            for costs in [macs, parameters] {
                for (place, saving) in costs.savings(gone: gone).enumerated() {
                    var next = gone
                    next[place] += 1
                    #expect(saving == costs.cost(gone: gone) - costs.cost(gone: next))
                }
            }
        }
        // A zero in a convolution saves as many multiply-accumulates as it has positions.
        let savings = macs.savings(gone: weights.map { _ in 0 })
        #expect(abs(savings[0] / savings[2] - 25) < 1e-9)
    }

    /// Of weights that are no part, what is left counts.
    @Test func heldZerosCostNothing() throws {
        let pruner = try Pruner(Network.perceptron([20, 30, 10, 5], dtype: .float32))
        let weights = pruner.groups.layers.map(\.weight)
        let held = MaskSet([weights[1]: Mask(shape: [10, 30], kept: (0..<300).map { $0 < 100 })])
        let open = [weights[0], weights[2]]
        let widths = WidthCosts(.parameters, pruner, weights: open, held: held)
        // Of 950 weights and 45 biases.
        #expect(abs(widths.cost(gone: [0, 0]) - 795.0 / 995) < 1e-12)
        #expect(abs(widths.cost(gone: [100, 20]) - 675.0 / 995) < 1e-12)
    }
}
