import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

/// Units that are constant on the data go, and the outputs on the data stay.
struct DeadUnitTests {
    /// What is found on `x`, the network without it, and both networks' outputs.
    private func remove(
        from graph: Graph, on x: Tensor, keep: [NamePattern] = []
    ) throws -> (dead: DeadUnits, result: Graph, difference: Double, range: Double) {
        let dataset = try Dataset(name: "given", inputs: [.init(name: "x", values: x)])
        let evidence = try EvidenceCollector(dataset, batchSize: 5, lane: Lane(threads: 1))
            .collect(DeadUnits.requiredEvidence, from: graph)
        let input = try #require(graph.inputs.first)
        var shape = x.shape
        shape[0] = 1
        let dead = try DeadUnits(
            try ResolvedGraph(graph, inputShapes: [input: shape]), evidence: evidence, keep: keep)
        let result = try dead.removed()
        let before = try ReferenceRunner.run(graph, inputs: [input: x])
        let after = try ReferenceRunner.run(result, inputs: [try #require(result.inputs.first): x])
        let verification = try #require(Verification(comparing: after, with: before))
        return (dead, result, verification.maxAbsoluteDifference, verification.outputMagnitude)
    }

    private func noise(_ shape: Shape, seed: UInt64 = 3) -> Tensor {
        var random = RandomSource(seed: seed)
        return Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal()) })
    }

    /// The same network with `values` added to a bias.
    private func shifting(_ graph: Graph, _ name: String, by values: [Int: Float]) throws -> Graph {
        let bias = try #require(graph.value(named: name)).id
        var scalars = try #require(graph.constants[bias]).scalars(as: Float.self)
        for (index, value) in values { scalars[index] += value }
        var patch = Patch(for: graph)
        patch.append(.setConstant(bias, Tensor(shape: [scalars.count], scalars: scalars)))
        return try graph.applying(patch)
    }

    private func droppedUnits(_ dead: DeadUnits) -> [String: [Int]] {
        Dictionary(uniqueKeysWithValues: dead.units.map { ($0.group.id, $0.units) })
    }

    /// Behind ReLU a unit whose bias is far below is zero: it goes without a trace, from the first layer too.
    @Test func reluUnitsThatNeverFireGo() throws {
        let plain = try Network.chain(dtype: .float32)
        var graph = try shifting(plain, "conv1.bias", by: [1: -100, 6: -100])
        graph = try shifting(graph, "conv2.bias", by: [0: -1000])
        let (dead, result, difference, range) = try remove(from: graph, on: noise([12, 1, 4, 4]))
        #expect(droppedUnits(dead) == ["conv1.weight": [1, 6], "conv2.weight": [0]])
        #expect(difference <= 1e-6 * range)
        let names =
            ["conv1.weight": [6, 1, 3, 3], "conv2.weight": [5, 6, 3, 3], "fc.weight": [5, 80]]
            as [String: Shape]
        for (name, shape) in names {
            #expect(result.constants[try #require(result.value(named: name)).id]?.shape == shape)
        }
        #expect(result.nodes.count == graph.nodes.count)
        #expect(dead.plan.channels?.first { $0.group == "conv1.weight" }?.dropped == [1, 6])
    }

    /// A unit that fires for a single sample of many is not dead.
    @Test func oneSampleIsEnoughToStay() throws {
        var network = Network("one", dtype: .float32)
        let x = network.input("x", [.symbolic("N"), .fixed(1)])
        let weight = network.builder.constant("w", Tensor(shape: [2, 1], scalars: [1, 1] as [Float]))
        let bias = network.builder.constant("b", Tensor(shape: [2], scalars: [-9, -11] as [Float]))
        let hidden = network.builder.node("Gemm", inputs: [x, weight, bias], attributes: ["transB": .int(1)])
        let active = network.relu(hidden)
        let graph = try network.finish(network.linear("out", active, inputs: 2, outputs: 2))
        let data = Tensor(shape: [23, 1], scalars: (0..<23).map { $0 == 17 ? 10 : Float($0) / 10 })
        let (dead, _, difference, _) = try remove(from: graph, on: data)
        #expect(droppedUnits(dead) == ["w": [1]])
        #expect(difference == 0)
    }

    /// Sigmoid units that are saturated on the data are constant, not zero: readers' biases take them up, or a sum
    /// behind a reader that has none.
    @Test(arguments: [true, false])
    func constantsGoIntoBiases(readerHasBias: Bool) throws {
        var network = Network("saturated", dtype: .float32)
        let x = network.input("x", [.symbolic("N"), .fixed(3)])
        let hidden = network.linear("fc1", x, inputs: 3, outputs: 6)
        let active = network.builder.node("Sigmoid", inputs: [hidden])
        let output: ValueID
        if readerHasBias {
            output = network.linear("fc2", active, inputs: 6, outputs: 4)
        } else {
            let last = network.weight("fc2.weight", [6, 4])
            output = network.builder.node("MatMul", name: "fc2", inputs: [active, last])
        }
        let graph = try shifting(try network.finish(output), "fc1.bias", by: [2: 200, 4: -200, 5: 300])
        let (dead, result, difference, range) = try remove(from: graph, on: noise([9, 3]))
        #expect(droppedUnits(dead) == ["fc1.weight": [2, 4, 5]])
        #expect(difference <= 1e-5 * range)
        #expect(result.nodes.count == graph.nodes.count + (readerHasBias ? 0 : 1))
        #expect(result.outputs.map(result.name(of:)) == graph.outputs.map(graph.name(of:)))
    }

    /// Zero padding takes a constant away at the border: such a unit stays, and why is said. Without padding it goes.
    @Test(arguments: [true, false])
    func paddedReadersKeepConstants(isPadded: Bool) throws {
        var network = Network("padded", dtype: .float32)
        let x = network.image(channels: 1, size: 6)
        let first = network.builder.node(
            "Sigmoid", inputs: [network.convolution("a", x, inputs: 1, outputs: 4)])
        let weight = network.weight("b.weight", [3, 4, 3, 3])
        let second = network.relu(
            network.convolution("b", first, weight: weight, padding: isPadded ? 1 : 0))
        let size = isPadded ? 6 : 4
        let graph = try shifting(
            try network.finish(
                network.linear("fc", network.flatten(second), inputs: 3 * size * size, outputs: 2)),
            "a.bias", by: [1: 500])
        let (dead, _, difference, range) = try remove(from: graph, on: noise([8, 1, 6, 6]))
        #expect(droppedUnits(dead)["a.weight"] == (isPadded ? nil : [1]))
        #expect(dead.reasons["a.weight"]?.contains("every position") == (isPadded ? true : nil))
        #expect(difference <= 1e-5 * range)
    }

    /// Batch norm behind ReLU makes a constant of the zero of a dead unit.
    @Test func normalizedZerosAreConstants() throws {
        var network = Network("normalised", dtype: .float32)
        let x = network.input("x", [.symbolic("N"), .fixed(5)])
        let hidden = network.relu(network.linear("fc1", x, inputs: 5, outputs: 7))
        let normal = network.normalization("norm", hidden, channels: 7)
        let graph = try shifting(
            try network.finish(network.linear("fc2", normal, inputs: 7, outputs: 3)), "fc1.bias",
            by: [3: -100])
        let (dead, _, difference, range) = try remove(from: graph, on: noise([10, 5]))
        #expect(droppedUnits(dead)["fc1.weight"]?.contains(3) == true)
        #expect(difference <= 1e-5 * range)
    }

    /// What lives on a residual stream is dead only if all that is added to it is.
    @Test func streamsAreJudgedWhereTheyEnd() throws {
        var network = Network("residual", dtype: .float32)
        let x = network.image(channels: 1, size: 4)
        let stem = network.relu(network.convolution("stem", x, inputs: 1, outputs: 4))
        let branch = network.relu(network.convolution("branch", stem, inputs: 4, outputs: 4))
        let sum = network.add(stem, branch)
        let plain = try network.finish(
            network.linear("fc", network.flatten(sum), inputs: 64, outputs: 3))
        let half = try shifting(plain, "stem.bias", by: [2: -100])
        #expect(try remove(from: half, on: noise([9, 1, 4, 4])).dead.units.isEmpty)
        let whole = try shifting(half, "branch.bias", by: [2: -1000])
        let (dead, _, difference, range) = try remove(from: whole, on: noise([9, 1, 4, 4]))
        #expect(droppedUnits(dead) == ["stem.weight": [2]])
        #expect(difference <= 1e-6 * range)
    }

    /// A layer between two ends of a stream reads it too, though what it makes belongs to the same group.
    @Test func layersWithinAStreamGetConstants() throws {
        var network = Network("residual", dtype: .float32)
        let x = network.image(channels: 1, size: 4)
        let stem = network.builder.node(
            "Sigmoid", inputs: [network.convolution("stem", x, inputs: 1, outputs: 4)])
        let branch = network.builder.node(
            "Sigmoid", inputs: [network.convolution("branch", stem, inputs: 4, outputs: 4, kernel: 1)])
        let plain = try network.finish(
            network.linear("fc", network.flatten(network.add(stem, branch)), inputs: 64, outputs: 3))
        let graph = try shifting(
            try shifting(plain, "stem.bias", by: [2: 300]), "branch.bias", by: [2: 300])
        let (dead, _, difference, range) = try remove(from: graph, on: noise([9, 1, 4, 4]))
        #expect(droppedUnits(dead) == ["stem.weight": [2]])
        #expect(difference <= 1e-5 * range)
    }

    @Test func oneUnitStaysAndPatternsKeep() throws {
        let plain = try Network.perceptron([4, 3, 2], dtype: .float32)
        let graph = try shifting(plain, "fc1.bias", by: [0: -100, 1: -100, 2: -100])
        let (dead, _, difference, _) = try remove(from: graph, on: noise([6, 4]))
        #expect(droppedUnits(dead) == ["fc1.weight": [0, 1]])
        #expect(dead.reasons["fc1.weight"]?.contains("one must stay") == true)
        #expect(difference <= 1e-6)
        let kept = try remove(from: graph, on: noise([6, 4]), keep: [NamePattern("fc1*")])
        #expect(kept.dead.units.isEmpty)
        #expect(throws: PruningError.self) {
            try remove(from: graph, on: noise([6, 4]), keep: [NamePattern("nothing")])
        }
    }
}
