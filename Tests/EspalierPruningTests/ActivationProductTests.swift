import EspalierGraphs
import EspalierPruning
import EspalierTensors
import Testing

/// Sums of products of two activations: a cut takes terms away, a mask only those that it makes zero.
struct ActivationProductTests {
    // MARK: - Parts

    /// Tokens x (N, 5, 4) to (N, 5, 6), with a bias.
    private func projection(_ name: String, _ x: ValueID, _ network: inout Network) -> ValueID {
        let weight = network.weight("\(name).weight", [4, 6])
        let bias = network.weight("\(name).bias", [6])
        return network.add(network.builder.node("MatMul", name: name, inputs: [x, weight]), bias)
    }

    /// Operators of one input, one after the other; "+ 1" adds a scalar.
    private func apply(_ functions: [String], _ input: ValueID, _ network: inout Network) -> ValueID {
        var value = input
        for function in functions {
            if function == "+ 1" {
                let one = network.builder.constant("one", Tensor(1 as Double))
                value = network.add(value, one)
            } else {
                value = network.builder.node(function, inputs: [value])
            }
        }
        return value
    }

    private func transpose(_ value: ValueID, _ order: [Int64], _ network: inout Network) -> ValueID {
        network.builder.node("Transpose", inputs: [value], attributes: ["perm": .ints(order)])
    }

    private func reshape(_ value: ValueID, _ target: [Int], _ network: inout Network) -> ValueID {
        let shape = network.integers("shape", target)
        return network.builder.node("Reshape", inputs: [value, shape])
    }

    /// Drops half of each group, and compares the cut with the masked network.
    private func expectCutEqualsMasked(_ pruner: Pruner, groups: [String]) throws {
        let graph = pruner.graph
        var plan = PrunePlan(
            model: graph.name, fingerprint: graph.structuralFingerprint, granularity: .channel,
            criterion: "none", scope: "none", targets: [])
        var channels: [PrunePlan.Channels] = []
        for id in groups {
            let size = try #require(pruner.groups[id]).size
            channels.append(PrunePlan.Channels(group: id, size: size, dropped: Array(0..<(size / 2))))
        }
        plan.channels = channels
        let inputs = Network.inputs(of: graph, seed: 1)
        let verification = try pruner.verify(plan, inputs: inputs) { try ReferenceRunner.run($0, inputs: $1) }
        #expect(verification.isWithin(relative: 1e-9), "\(verification)")
        #expect(verification.outputMagnitude > 0)
    }

    // MARK: - Similarities

    /// Functions of queries and of keys, whose products are the output.
    private func similarities(_ ofQueries: [String], _ ofKeys: [String]) throws -> Pruner {
        var network = Network()
        let x = network.input("x", [.symbolic("N"), .fixed(5), .fixed(4)])
        let projectedQueries = projection("query", x, &network)
        let queries = apply(ofQueries, projectedQueries, &network)
        let projectedKeys = projection("key", x, &network)
        let keys = apply(ofKeys, projectedKeys, &network)
        let columns = transpose(keys, [0, 2, 1], &network)
        let scores = network.builder.node("MatMul", name: "scores", inputs: [queries, columns])
        return try Pruner(try network.finish(scores))
    }

    @Test(arguments: [["Sigmoid"], ["Exp"], ["Softplus"], ["Cos"], ["Elu", "+ 1"], ["Relu", "+ 1"]])
    func termsThatAMaskLeavesAreFrozen(_ functions: [String]) throws {
        let groups = try similarities(functions, functions).groups
        #expect(groups.open.isEmpty)
        let frozen = try #require(groups["query.weight"]?.frozen)
        #expect(frozen.kind == .declared)
        #expect(frozen.message.contains("'scores'"))
    }

    @Test(arguments: [[], ["Relu"], ["Tanh"], ["Elu"], ["Relu", "Sqrt"], ["Abs", "Neg"]])
    func oneFactorThatIsZeroIsEnough(_ functions: [String]) throws {
        let pruners = try [
            similarities(functions, ["Sigmoid"]), similarities(["Sigmoid"], functions),
            similarities(functions, functions),
        ]
        for pruner in pruners {
            #expect(pruner.groups.open.map(\.id) == ["query.weight"])
            try expectCutEqualsMasked(pruner, groups: ["query.weight"])
        }
    }

    /// A scalar is no channel's: no mask takes it away.
    @Test(arguments: [true, false])
    func whatIsAddedMustBeMaskedToo(isMasked: Bool) throws {
        var network = Network()
        let x = network.input("x", [.symbolic("N"), .fixed(4)])
        let weight = network.weight("query.weight", [6, 4])
        let bias =
            isMasked
            ? network.weight("query.bias", [6])
            : network.builder.constant("query.bias", Tensor(0.5 as Double))
        let queries = network.builder.node(
            "Gemm", name: "query", inputs: [x, weight, bias], attributes: ["transB": .int(1)])
        let keys = network.builder.node("Exp", inputs: [network.linear("key", x, inputs: 4, outputs: 6)])
        let scores = network.builder.node(
            "Gemm", name: "scores", inputs: [queries, keys], attributes: ["transB": .int(1)])
        let pruner = try Pruner(try network.finish(scores))
        #expect(pruner.groups.open.map(\.id) == (isMasked ? ["query.weight"] : []))
        if isMasked { try expectCutEqualsMasked(pruner, groups: ["query.weight"]) }
    }

    /// A weight that a node computes is a weight, whatever stands before it.
    @Test func computedWeightsAreMasked() throws {
        var network = Network()
        let x = network.input("x", [.symbolic("N"), .fixed(5), .fixed(4)])
        let projected = projection("first", x, &network)
        let hidden = apply(["Sigmoid"], projected, &network)
        let stored = network.weight("last.weight", [2, 6])
        let weight = transpose(stored, [1, 0], &network)
        let output = network.builder.node("MatMul", name: "last", inputs: [hidden, weight])
        let pruner = try Pruner(try network.finish(output))
        #expect(pruner.groups.open.map(\.id) == ["first.weight"])
        try expectCutEqualsMasked(pruner, groups: ["first.weight"])
    }

    /// Whatever batch norm reads, its scale and shift are masked.
    @Test func normalizationMakesZero() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("query", x, inputs: 3, outputs: 6)
        let gated = apply(["Sigmoid"], stem, &network)
        let normalized = network.normalization("norm", gated, channels: 6)
        let planes = reshape(normalized, [-1, 6, 16], &network)
        let queries = transpose(planes, [0, 2, 1], &network)
        let other = network.convolution("key", x, inputs: 3, outputs: 6)
        let positive = apply(["Sigmoid"], other, &network)
        let keys = reshape(positive, [-1, 6, 16], &network)
        let scores = network.builder.node("MatMul", name: "scores", inputs: [queries, keys])
        let pruner = try Pruner(try network.finish(scores))
        #expect(pruner.groups.open.map(\.id) == ["query.weight"])
        try expectCutEqualsMasked(pruner, groups: ["query.weight"])
    }

    @Test(arguments: ["Relu", "Sigmoid"])
    func convolutionsByActivationsAreSuchSums(_ function: String) throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let z = network.input("z", [.fixed(2), .fixed(4)])
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        let channels = apply([function], stem, &network)
        let computed = network.linear("filters", z, inputs: 4, outputs: 6)
        let positive = apply(["Sigmoid"], computed, &network)
        let filters = reshape(positive, [2, 6, 1, 1], &network)
        let output = network.convolution("dynamic", channels, weight: filters)
        let pruner = try Pruner(try network.finish(output))
        guard function == "Relu" else {
            #expect(pruner.groups.open.isEmpty)
            #expect(pruner.groups["stem.weight"]?.frozen?.message.contains("'dynamic'") == true)
            return
        }
        #expect(pruner.groups.open.map(\.id) == ["stem.weight"])
        try expectCutEqualsMasked(pruner, groups: ["stem.weight"])
    }

    // MARK: - Attention

    /// Linear attention (Katharopoulos et al. 2020): phi(Q) (phi(K)^T V).
    @Test(arguments: [["Elu", "+ 1"], ["Relu"]])
    func linearAttentionIsCutWhereItsFeaturesVanish(_ features: [String]) throws {
        var network = Network()
        let x = network.input("x", [.symbolic("N"), .fixed(5), .fixed(4)])
        let projectedQueries = projection("query", x, &network)
        let queries = apply(features, projectedQueries, &network)
        let projectedKeys = projection("key", x, &network)
        let keys = apply(features, projectedKeys, &network)
        let values = projection("value", x, &network)
        let columns = transpose(keys, [0, 2, 1], &network)
        let memory = network.builder.node("MatMul", name: "memory", inputs: [columns, values])
        let answers = network.builder.node("MatMul", name: "answers", inputs: [queries, memory])
        let last = network.weight("last.weight", [6, 2])
        let output = network.builder.node("MatMul", name: "last", inputs: [answers, last])
        let pruner = try Pruner(try network.finish(output))
        let open = features == ["Relu"] ? ["query.weight", "value.weight"] : ["value.weight"]
        #expect(pruner.groups.open.map(\.id) == open)
        let message = pruner.groups["query.weight"]?.frozen?.message
        #expect((message?.contains("'answers'") ?? false) == (features != ["Relu"]))
        try expectCutEqualsMasked(pruner, groups: open)
    }

    /// Softmax of Q K^T / 2 times V, of one head.
    @Test func queriesAndKeysOfAttentionAreCut() throws {
        var network = Network()
        let x = network.input("x", [.symbolic("N"), .fixed(5), .fixed(4)])
        let projected = projection("query", x, &network)
        let two = network.builder.constant("two", Tensor(2 as Double))
        let queries = network.builder.node("Div", inputs: [projected, two])
        let keys = projection("key", x, &network)
        let values = projection("value", x, &network)
        let columns = transpose(keys, [0, 2, 1], &network)
        let scores = network.builder.node("MatMul", name: "scores", inputs: [queries, columns])
        let shares = network.builder.node("Softmax", inputs: [scores])
        let answers = network.builder.node("MatMul", name: "answers", inputs: [shares, values])
        let last = network.weight("last.weight", [6, 2])
        let output = network.builder.node("MatMul", name: "last", inputs: [answers, last])
        let pruner = try Pruner(try network.finish(output))
        #expect(pruner.groups.open.map(\.id) == ["query.weight", "value.weight"])
        try expectCutEqualsMasked(pruner, groups: ["query.weight", "value.weight"])
    }

    /// Of several heads each is cut as a whole, whatever is done to queries and keys.
    @Test(arguments: [[], ["Sigmoid"]])
    func headsAreCutWhole(_ features: [String]) throws {
        var network = Network()
        let x = network.input("x", [.symbolic("N"), .fixed(5), .fixed(4)])
        var heads: [ValueID] = []
        for (name, order) in [("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])] {
            let projected = projection(name, x, &network)
            let parts = reshape(projected, [-1, 5, 2, 3], &network)
            let head = transpose(parts, order.map { Int64($0) }, &network)
            heads.append(name == "value" ? head : apply(features, head, &network))
        }
        let scores = network.builder.node("MatMul", name: "scores", inputs: [heads[0], heads[1]])
        let shares = network.builder.node("Softmax", inputs: [scores])
        let answers = network.builder.node("MatMul", name: "answers", inputs: [shares, heads[2]])
        let tokens = transpose(answers, [0, 2, 1, 3], &network)
        let joined = reshape(tokens, [-1, 5, 6], &network)
        let last = network.weight("last.weight", [6, 2])
        let output = network.builder.node("MatMul", name: "last", inputs: [joined, last])
        let pruner = try Pruner(try network.finish(output))
        #expect(pruner.groups.open.map(\.id) == ["query.weight"])
        #expect(pruner.groups["query.weight"]?.size == 2)
        try expectCutEqualsMasked(pruner, groups: ["query.weight"])
    }
}
