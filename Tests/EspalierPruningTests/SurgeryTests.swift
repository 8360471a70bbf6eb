import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierTensors
import Testing

struct SurgeryTests {
    /// Drops the given share of every open group, at random, and compares the cut with the masked network.
    static func verify(_ graph: Graph, share: Double = 0.5, seed: UInt64 = 1) throws -> Graph {
        let pruner = try Pruner(graph)
        let plan = try plan(for: pruner, share: share, seed: seed)
        let inputs = Network.inputs(of: graph, seed: seed)
        let verification = try pruner.verify(plan, inputs: inputs) { try ReferenceRunner.run($0, inputs: $1) }
        #expect(verification.isWithin(relative: 1e-9), "\(verification), seed \(seed)")
        #expect(verification.outputMagnitude > 0, "seed \(seed)")
        return try pruner.cut(plan)
    }

    static func plan(for pruner: Pruner, share: Double, seed: UInt64) throws -> PrunePlan {
        try pruner.plan(
            PruningRequest(
                .channel, targets: [.sparsity(share)], criterion: RandomScores(seed: seed),
                minimumKept: MinimumKept(count: 1, fraction: 0), prunesFirstAndLast: true))
    }

    private func shape(_ graph: Graph, _ name: String) throws -> Shape {
        let id = try #require(graph.value(named: name)).id
        return try #require(graph.constants[id]).shape
    }

    @Test func chainShrinks() throws {
        let graph = try Network.chain()
        let pruner = try Pruner(graph)
        var plan = try Self.plan(for: pruner, share: 0.1, seed: 1)
        let place = try #require(plan.channels?.firstIndex { $0.group == "conv2.weight" })
        for index in plan.channels?.indices ?? 0..<0 { plan.channels?[index].dropped = [] }
        plan.channels?[place].dropped = [0, 3]
        let cut = try pruner.cut(plan)
        #expect(try shape(cut, "conv2.weight") == [4, 8, 3, 3])
        #expect(try shape(cut, "conv2.bias") == [4])
        #expect(try shape(cut, "fc.weight") == [5, 64])
        #expect(cut.nodes.map(\.name) == graph.nodes.map(\.name))
        let weight = try #require(graph.value(named: "conv2.weight")).id
        let before = try #require(graph.constants[weight]).scalars(as: Double.self)
        let after = try #require(cut.constants[weight]).scalars(as: Double.self)
        #expect(after == Array(before[72..<216] + before[288..<432]))
    }

    @Test func anEmptyPlanChangesNothing() throws {
        let pruner = try Pruner(Network.chain())
        var plan = try Self.plan(for: pruner, share: 0.1, seed: 1)
        for index in plan.channels?.indices ?? 0..<0 { plan.channels?[index].dropped = [] }
        #expect(try pruner.cut(plan).structuralFingerprint == pruner.graph.structuralFingerprint)
    }

    @Test func residualsCutLikeMasked() throws {
        var network = Network(seed: 2)
        let x = network.image(channels: 3, size: 5)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        let inner = network.relu(network.convolution("a", stem, inputs: 6, outputs: 4))
        let sum = network.relu(network.add(stem, network.convolution("b", inner, inputs: 4, outputs: 6)))
        let main = network.normalization(
            "norm", network.convolution("c", sum, inputs: 6, outputs: 8), channels: 8)
        let shortcut = network.convolution("project", sum, inputs: 6, outputs: 8, kernel: 1)
        let pooled = network.globalPool(network.relu(network.add(main, shortcut)))
        let head = network.linear("fc", network.flatten(pooled), inputs: 8, outputs: 3)
        _ = try Self.verify(try network.finish(head))
    }

    @Test func concatenationAndSplitCutLikeMasked() throws {
        var network = Network(seed: 3)
        let x = network.image(channels: 3, size: 4)
        let left = network.convolution("left", x, inputs: 3, outputs: 4)
        let right = network.relu(network.convolution("right", x, inputs: 3, outputs: 5))
        let joined = network.concatenation([left, x, right])
        let parts = network.split(joined, sizes: [2, 7, 3])
        let outputs = [
            network.convolution("p0", parts[0], inputs: 2, outputs: 2),
            network.convolution("p1", network.relu(parts[1]), inputs: 7, outputs: 2),
            network.convolution("p2", parts[2], inputs: 3, outputs: 2),
        ]
        let graph = try network.finish(outputs[0], outputs[1], outputs[2])
        for seed in 1...4 as ClosedRange<UInt64> { _ = try Self.verify(graph, share: 0.3, seed: seed) }
    }

    @Test func depthwiseAndGroupedCutLikeMasked() throws {
        var network = Network(seed: 4)
        let x = network.image(channels: 3, size: 5)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        let depthwise = network.relu(network.convolution("dw", stem, inputs: 6, outputs: 12, groups: 6))
        let point = network.convolution("pw", depthwise, inputs: 12, outputs: 9, kernel: 1)
        let grouped = network.relu(network.convolution("grouped", point, inputs: 9, outputs: 6, groups: 3))
        let head = network.linear("fc", network.flatten(grouped), inputs: 150, outputs: 3)
        let cut = try Self.verify(try network.finish(head))
        let group = cut.nodes.first { $0.name == "dw" }?.attributes["group"]
        guard case .int(let count) = group else {
            Issue.record("no group count")
            return
        }
        #expect(count > 0 && count < 6)
    }

    @Test func sharedWeightsAreCutOnce() throws {
        var network = Network(seed: 5)
        let x = network.input("x", [.symbolic("N"), .fixed(4)])
        let start = network.relu(network.linear("start", x, inputs: 4, outputs: 6))
        let shared = network.weight("shared", [6, 6])
        let once = network.relu(network.builder.node("MatMul", inputs: [start, shared]))
        let twice = network.relu(network.builder.node("MatMul", inputs: [once, shared]))
        let cut = try Self.verify(try network.finish(network.linear("end", twice, inputs: 6, outputs: 2)))
        let weight = try shape(cut, "shared")
        #expect(weight[0] == weight[1] && weight[0] < 6)
    }

    @Test func squeezeAndExcitationCutsLikeMasked() throws {
        var network = Network(seed: 6)
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 8)
        let excited = network.excitation("se", stem, channels: 8, squeezed: 4)
        _ = try Self.verify(try network.finish(network.convolution("last", excited, inputs: 8, outputs: 2)))
    }

    @Test func reshapeTargetsFollow() throws {
        var network = Network(seed: 7)
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        // The same target twice, of which one use is cut and the other is not.
        let target = network.integers("target", [-1, 96])
        let flat = network.builder.node("Reshape", name: "flat", inputs: [stem, target])
        let other = network.input("other", [.symbolic("N"), .fixed(6), .fixed(16)])
        let untouched = network.builder.node("Reshape", name: "untouched", inputs: [other, target])
        let left = network.linear("left", flat, inputs: 96, outputs: 3)
        let right = network.linear("right", untouched, inputs: 96, outputs: 3)
        let cut = try Self.verify(try network.finish(left, right))
        #expect(cut.constants[target]?.scalars(as: Int64.self) == [-1, 96])
    }

    @Test func channelsMergedWithTheBatchFollow() throws {
        var network = Network(seed: 11)
        let x = network.input("x", [.symbolic("N"), .fixed(8)])
        let hidden = network.linear("hidden", x, inputs: 8, outputs: 16)
        // Four rows of each sample, which are the hidden layer's channels in fours.
        let rowsTarget = network.integers("rows", [-1, 4])
        let rows = network.builder.node("Reshape", inputs: [hidden, rowsTarget])
        let weight = network.weight("rows.weight", [4, 6])
        let mapped = network.builder.node("MatMul", inputs: [rows, weight])
        let flatTarget = network.integers("flat", [-1, 24])
        let flat = network.builder.node("Reshape", inputs: [mapped, flatTarget])
        let end = network.linear("end", flat, inputs: 24, outputs: 10)
        let cut = try Self.verify(try network.finish(end), share: 0.3)
        #expect(try shape(cut, "hidden.weight") == [8, 8])
        #expect(try shape(cut, "end.weight") == [10, 12])
        #expect(cut.constants[flatTarget]?.scalars(as: Int64.self) == [-1, 12])
    }

    @Test func headsMergedWithTheBatchFollow() throws {
        var network = Network(seed: 12)
        let x = network.input("x", [.symbolic("N"), .fixed(5), .fixed(4)])
        let first = network.weight("first.weight", [4, 12])
        func reshaped(_ value: ValueID, _ target: [Int]) -> ValueID {
            let shape = network.integers("target", target)
            return network.builder.node("Reshape", inputs: [value, shape])
        }
        func swapped(_ value: ValueID) -> ValueID {
            network.builder.node("Transpose", inputs: [value], attributes: ["perm": .ints([0, 2, 1, 3])])
        }
        let tokens = network.builder.node("MatMul", inputs: [x, first])
        let heads = swapped(reshaped(tokens, [-1, 5, 4, 3]))
        let active = network.relu(reshaped(heads, [-1, 5, 3]))
        let joined = reshaped(swapped(reshaped(active, [-1, 4, 5, 3])), [-1, 5, 12])
        let last = network.weight("last.weight", [12, 2])
        let output = network.builder.node("MatMul", inputs: [joined, last])
        let cut = try Self.verify(try network.finish(output), share: 0.3)
        #expect(try shape(cut, "first.weight") == [4, 6])
        #expect(try shape(cut, "last.weight") == [6, 2])
    }

    @Test func computedShapesFollow() throws {
        // As exporters write x.view(x.size(0), -1).
        var network = Network(seed: 8)
        let x = network.image(channels: 3, size: 4)
        let stem = network.relu(network.convolution("stem", x, inputs: 3, outputs: 6))
        let shape = network.builder.node("Shape", inputs: [stem])
        let zero = network.builder.constant("zero", Tensor(Int64(0)))
        let batch = network.builder.node("Gather", inputs: [shape, zero], attributes: ["axis": .int(0)])
        let axes = network.integers("axes", [0])
        let row = network.builder.node("Unsqueeze", inputs: [batch, axes])
        let target = network.concatenation([row, network.integers("rest", [-1])], axis: 0)
        let flat = network.builder.node("Reshape", inputs: [stem, target])
        _ = try Self.verify(try network.finish(network.linear("fc", flat, inputs: 96, outputs: 3)))
    }

    @Test func opaqueNodesDoNotStopTheRest() throws {
        var network = Network(seed: 9)
        let x = network.image(channels: 3, size: 4)
        let first = network.convolution("first", x, inputs: 3, outputs: 6)
        let second = network.convolution("second", first, inputs: 6, outputs: 5)
        let strange = network.builder.node(
            "Mystery", domain: "com.example", name: "strange", inputs: [second])
        let pruner = try Pruner(try network.finish(strange))
        let plan = try Self.plan(for: pruner, share: 0.5, seed: 1)
        let cut = try pruner.cut(plan)
        #expect(try shape(cut, "first.weight")[0] < 6)
        #expect(try shape(cut, "second.weight")[0] == 5)
        #expect(cut.nodes.last?.operatorName.type == "Mystery")
    }

    @Test func declaredTypesFollow() throws {
        var network = Network(seed: 10)
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        network.builder.updateValue(stem) {
            $0.type = ValueType(
                dtype: .float64, dimensions: [.symbolic("N"), .fixed(6), .fixed(4), .fixed(4)])
        }
        let cut = try Self.verify(
            try network.finish(network.convolution("last", stem, inputs: 6, outputs: 2)))
        let kept = try shape(cut, "stem.weight")[0]
        #expect(cut.values[stem]?.type?.dimensions == [.symbolic("N"), .fixed(kept), .fixed(4), .fixed(4)])
    }

    @Test func verificationSeesADifference() {
        let left = [Tensor(shape: [3], scalars: [1, 2, 3] as [Float])]
        let right = [Tensor(shape: [3], scalars: [1, 2.5, 3] as [Float])]
        let broken = [Tensor(shape: [3], scalars: [1, .nan, 3] as [Float])]
        #expect(Verification(comparing: left, with: right)?.maxAbsoluteDifference == 0.5)
        #expect(Verification(comparing: broken, with: right)?.maxAbsoluteDifference == .infinity)
        #expect(Verification(comparing: left, with: left)?.isWithin(relative: 0) == true)
        #expect(Verification(comparing: left, with: []) == nil)
        #expect(Verification(comparing: [Tensor(Float(1))], with: left) == nil)
    }
}
