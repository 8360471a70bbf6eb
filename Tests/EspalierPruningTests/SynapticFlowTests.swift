import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import Testing

struct SynapticFlowTests {
    private func shares(_ graph: Graph) throws -> [ValueID: Tensor] {
        try EvidenceCollector.collectWithoutData(
            [.synapticFlow], from: graph, lane: Lane(threads: 1))[.synapticFlow]
    }

    private func sum(_ tensor: Tensor?) -> Double {
        (tensor?.scalars(as: Double.self) ?? []).reduce(0, +)
    }

    /// All of the flow goes through every layer of a chain, and the two branches of a residual sum share it.
    @Test func flowIsConserved() throws {
        for weight in try shares(Network.chain(dtype: .float32)) {
            #expect(abs(sum(weight.value) - 1) < 1e-5)
        }
        var network = Network("residual", seed: 3, dtype: .float32)
        let x = network.image(channels: 2, size: 5)
        let first = network.relu(network.convolution("first", x, inputs: 2, outputs: 4))
        let branch = network.normalization(
            "norm", network.convolution("branch", first, inputs: 4, outputs: 4), channels: 4)
        let joined = network.relu(network.add(branch, first))
        let graph = try network.finish(
            network.linear("last", network.flatten(joined), inputs: 100, outputs: 3))
        let shares = try shares(graph)
        func share(_ name: String) -> Double { sum(graph.value(named: name).flatMap { shares[$0.id] }) }
        #expect(abs(share("first.weight") - 1) < 1e-5)
        #expect(abs(share("last.weight") - 1) < 1e-5)
        #expect(share("branch.weight") > 0.01 && share("branch.weight") < 0.99)
    }

    /// Biases, signs of weights and the data play no part.
    @Test func onlySizesOfWeightsCount() throws {
        let graph = try Network.perceptron([4, 6, 3], dtype: .float32)
        var patch = Patch(for: graph)
        for id in graph.parameters {
            guard let tensor = graph.constants[id] else { continue }
            let isBias = tensor.shape.rank == 1
            let changed = tensor.scalars(as: Float.self).enumerated().map { index, value in
                isBias ? value - 7 : (index % 2 == 0 ? -value : value)
            }
            patch.append(.setConstant(id, Tensor(shape: tensor.shape, scalars: changed)))
        }
        let (one, other) = (try shares(graph), try shares(try graph.applying(patch)))
        #expect(one.count == 2)
        #expect(
            one.allSatisfy {
                other[$0.key]?.scalars(as: Float.self) == $0.value.scalars(as: Float.self)
            })
    }

    /// For two layers w_ji and v_kj the flow through w_ji is |w_ji| sum_k |v_kj|.
    @Test func twoLayersByHand() throws {
        var builder = GraphBuilder(name: "two")
        let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(2)]))
        let first = builder.constant("first", Tensor(shape: [2, 2], scalars: [1, -2, 3, 0] as [Float]))
        let second = builder.constant("second", Tensor(shape: [2, 1], scalars: [-1, 4] as [Float]))
        let hidden = builder.node("Tanh", inputs: [builder.node("MatMul", inputs: [x, first])])
        let output = builder.node("MatMul", inputs: [hidden, second])
        let graph = try builder.finish(outputs: [output])
        let shares = try shares(graph)
        // Columns are hidden units: sizes [[1, 2], [3, 0]], then [1, 4]; R = (1 + 3) 1 + (2 + 0) 4 = 12.
        let expected = [1.0, 8, 3, 0].map { $0 / 12 }
        for (share, value) in zip(shares[first]?.scalars(as: Double.self) ?? [], expected) {
            #expect(abs(share - value) < 1e-6)
        }
        #expect(abs((shares[second]?.scalars(as: Double.self) ?? [0])[0] - 4.0 / 12) < 1e-6)
    }

    /// R of this network is about 1e120 (and 1e-120 for small weights), far outside of single precision.
    @Test(arguments: [1000, 0.001] as [Double])
    func deepNetworksStayInRange(scale: Double) throws {
        var network = Network("deep", seed: 9, dtype: .float32)
        var value = network.input("x", [.symbolic("N"), .fixed(8)])
        for layer in 0..<40 {
            let weight = network.weight("w\(layer)", [8, 8], around: scale)
            value = network.builder.node("MatMul", inputs: [value, weight])
            if layer % 2 == 0 { value = network.relu(value) }
        }
        let shares = try shares(try network.finish(value))
        #expect(shares.count == 40)
        #expect(shares.allSatisfy { abs(sum($0.value) - 1) < 1e-4 })
    }

    /// All flows through both layers, whatever is done to single values between them.
    @Test func activationsLimitsAndConstantsAreNoHindrance() throws {
        var network = Network("between", seed: 4, dtype: .float32)
        let hundred = network.builder.constant("hundred", Tensor(100 as Float))
        let six = network.builder.constant("six", Tensor(6 as Float))
        let zero = network.builder.constant("zero", Tensor(0 as Float))
        let slope = network.weight("slope", [4, 1, 1], around: 0.2)
        let window: [String: Attribute] = ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])]
        let x = network.image(channels: 2, size: 8)
        var value = network.convolution("first", x, inputs: 2, outputs: 4)
        value = network.builder.node("Mul", inputs: [hundred, value])
        value = network.builder.node("Add", inputs: [six, value])
        value = network.builder.node("Sub", inputs: [six, value])
        value = network.builder.node("Clip", inputs: [value, zero, six])
        value = network.builder.node("MaxPool", inputs: [value], attributes: window)
        value = network.builder.node("PRelu", inputs: [value, slope])
        value = network.builder.node("Min", inputs: [value, six])
        value = network.builder.node("AveragePool", inputs: [value], attributes: window)
        value = network.linear("last", network.flatten(value), inputs: 16, outputs: 3)
        let graph = try network.finish(value)
        let shares = try shares(graph)
        for name in ["first.weight", "last.weight"] {
            let weight = try #require(graph.value(named: name)).id
            #expect(abs(sum(shares[weight]) - 1) < 1e-5, "\(name)")
        }
    }

    /// Files that store equal tensors once have an identity before each further use.
    @Test func operandsMayBeComputedFromConstants() throws {
        func shares(hasIdentities: Bool) throws -> [Float] {
            var network = Network("shared", seed: 6, dtype: .float32)
            let x = network.image(channels: 2, size: 4)
            let first = network.convolution("first", x, inputs: 2, outputs: 3)
            var operands = [
                network.weight("scale", [3], around: 1), network.weight("shift", [3]),
                network.weight("mean", [3]),
                network.builder.constant("variance", Tensor(shape: [3], scalars: [0.5, 1, 4] as [Float])),
            ]
            if hasIdentities {
                for index in operands.indices {
                    operands[index] = network.builder.node("Identity", inputs: [operands[index]])
                }
            }
            let normal = network.builder.node(
                "BatchNormalization",
                inputs: [first, operands[0], operands[1], operands[2], operands[3]])
            let last = network.linear("last", network.flatten(normal), inputs: 48, outputs: 2)
            let graph = try network.finish(last)
            let weight = try #require(graph.value(named: "first.weight")).id
            return try #require(try self.shares(graph)[weight]).scalars(as: Float.self)
        }
        let (plain, behind) = (try shares(hasIdentities: false), try shares(hasIdentities: true))
        #expect(zip(plain, behind).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// What does not pass flow on in proportion would make shares of what is none; the node is named.
    @Test(arguments: ["LayerNormalization", "Softmax", "Mul", "Div", "Sub", "Pow"])
    func whatFlowCannotPassIsRefused(type: String) throws {
        var network = Network("refused", seed: 2, dtype: .float32)
        let x = network.input("x", [.symbolic("N"), .fixed(4)])
        let hidden = network.linear("first", x, inputs: 4, outputs: 6)
        let gate = network.builder.node("Sigmoid", inputs: [hidden])
        let operands: [ValueID] =
            switch type {
            case "Softmax": [hidden]
            case "LayerNormalization": [hidden, network.weight("scale", [6], around: 1)]
            case "Pow": [hidden, network.builder.constant("two", Tensor(2 as Float))]
            default: [hidden, gate]
            }
        let culprit = network.builder.node(type, name: "culprit", inputs: operands)
        let graph = try network.finish(network.linear("last", culprit, inputs: 6, outputs: 3))
        let error = try #require(throws: PruningError.self) { try shares(graph) }
        guard case .notScored(let criterion, let subject, let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(criterion == "synflow" && subject == "culprit" && reason.contains(type))
    }

    /// At 99.5 % no layer may be cut off: in one round one would be, in a hundred the flow is kept.
    @Test func manyRoundsKeepLayersConnected() throws {
        let graph = try Network.perceptron([20, 60, 4, 60, 5], dtype: .float32)
        let lane = try Lane(threads: 1)
        let pruner = try Pruner(graph)
        let request = PruningRequest(
            .element, targets: [.sparsity(0.98)], criterion: SynFlow(),
            minimumKept: MinimumKept(count: 0, fraction: 0))
        let plan = try pruner.plan(request) {
            try EvidenceCollector.collectWithoutData([.synapticFlow], from: $0, lane: lane)
        }
        let flow = try shares(try pruner.applying(plan))
        #expect(flow.count == 4)
        #expect(flow.allSatisfy { abs(sum($0.value) - 1) < 1e-4 })
        let kept = (plan.elements ?? []).reduce(0) { $0 + $1.kept }
        let size = (plan.elements ?? []).reduce(0) { $0 + $1.shape.reduce(1, *) }
        #expect(Double(kept) <= 0.02 * Double(size) + 1)
    }
}
