import EspalierGraphs
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

struct ReinitializationTests {
    private func scalars(_ graph: Graph, _ name: String) throws -> [Double] {
        let id = try #require(graph.value(named: name), "\(name)").id
        return try #require(graph.constants[id]).scalars(as: Double.self)
    }

    /// Weights that are far from fresh.
    private func network(dtype: DType = .float32) throws -> Graph {
        var network = Network("trained", seed: 4, dtype: dtype)
        let x = network.image(channels: 8, size: 4)
        let stem = network.relu(network.convolution("stem", x, inputs: 8, outputs: 48))
        let depthwise = network.convolution("depthwise", stem, inputs: 48, outputs: 48, groups: 48)
        let normalized = network.relu(network.normalization("norm", depthwise, channels: 48))
        let grouped = network.convolution(
            "grouped", normalized, inputs: 48, outputs: 40, kernel: 1, groups: 4)
        let flat = network.flatten(network.globalPool(network.relu(grouped)))
        let hidden = network.relu(network.linear("hidden", flat, inputs: 40, outputs: 60))
        let product = network.builder.node("MatMul", inputs: [hidden, network.weight("product", [60, 50])])
        let shifted = network.builder.node(
            "Add", inputs: [product, network.weight("shift", [50], around: 2)])
        let end = network.linear("end", network.relu(shifted), inputs: 50, outputs: 30)
        return try network.finish(end)
    }

    /// Mean and variance of each weight are those of He's initialisation by its fan-in, and of Glorot's for the last layer, within
    /// five standard errors.
    @Test(arguments: [UInt64(1), 2, 3])
    func variancesFollowFanIn(seed: UInt64) throws {
        let fresh = try Pruner(network()).reinitialized(seed: seed)
        let variances = [
            "stem.weight": 2.0 / 72, "depthwise.weight": 2.0 / 9, "grouped.weight": 2.0 / 12,
            "hidden.weight": 2.0 / 40, "product": 2.0 / 60, "end.weight": 2.0 / 80,
        ]
        for (name, variance) in variances {
            let values = try scalars(fresh, name)
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            let square = values.reduce(0) { $0 + $1 * $1 } / count
            #expect(abs(mean) < 5 * (variance / count).squareRoot(), "\(name), seed \(seed)")
            // The square of a normal number has twice the variance of its mean's square.
            #expect(
                abs(square / variance - 1) < 5 * (2 / count).squareRoot(),
                "\(name), seed \(seed): \(square), not \(variance)")
            // Normal, not uniform: 4.6 percent are farther than two deviations.
            let far = Double(values.count { abs($0) > 2 * variance.squareRoot() }) / count
            #expect(abs(far - 0.0455) < 5 * (0.0455 / count).squareRoot(), "\(name), seed \(seed)")
        }
    }

    /// A convolution at the end is one of as many outputs as it has times its positions, as ``NetworkBuilder`` draws it.
    @Test func lastConvolutionsCountTheirKernel() throws {
        var network = Network("convolutional", seed: 4, dtype: .float32)
        let x = network.image(channels: 20, size: 4)
        let stem = network.relu(network.convolution("stem", x, inputs: 20, outputs: 30))
        let end = network.convolution("end", stem, inputs: 30, outputs: 40)
        let graph = try network.finish(network.flatten(network.globalPool(end)))
        let values = try scalars(try Pruner(graph).reinitialized(seed: 1), "end.weight")
        let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
        let variance = 2.0 / (30 * 9 + 40 * 9)
        #expect(abs(square / variance - 1) < 5 * (2 / Double(values.count)).squareRoot())
    }

    @Test func otherParametersBegin() throws {
        let graph = try network()
        let fresh = try Pruner(graph).reinitialized(seed: 1)
        for name in [
            "stem.bias", "depthwise.bias", "grouped.bias", "hidden.bias", "end.bias", "norm.shift", "shift",
        ] {
            #expect(try scalars(fresh, name).allSatisfy { $0 == 0 }, "\(name)")
        }
        #expect(try scalars(fresh, "norm.scale").allSatisfy { $0 == 1 })
        for name in ["norm.mean", "norm.variance"] {
            #expect(try scalars(fresh, name) == scalars(graph, name))
        }
        #expect(fresh.structuralFingerprint == graph.structuralFingerprint)
    }

    /// Constants that multiply begin at 1, not at 0, and those of the network's formulas, before its first layer or in what is no
    /// parameter, stay.
    @Test func constantsOfFormulasStay() throws {
        var network = Network("formulas", seed: 5, dtype: .float32)
        let x = network.image(channels: 3, size: 4)
        let means = network.weight("means", [1, 3, 1, 1], around: 4)
        let deviations = network.weight("deviations", [1, 3, 1, 1], around: 3)
        let centred = network.builder.node("Sub", inputs: [x, means])
        let prepared = network.builder.node("Div", inputs: [centred, deviations])
        let stem = network.relu(network.convolution("stem", prepared, inputs: 3, outputs: 6))
        let scale = network.weight("layerScale", [1, 6, 1, 1], around: 3)
        let scaled = network.builder.node("Mul", inputs: [stem, scale])
        let divisor = network.weight("divisor", [1, 6, 1, 1], around: 3)
        let divided = network.builder.node("Div", inputs: [scaled, divisor])
        let shift = network.weight("offset", [1, 6, 1, 1], around: 3)
        let moved = network.builder.node("Sub", inputs: [divided, shift])
        let half = network.builder.constant("half", Tensor(Float(0.5)))
        let halved = network.builder.node("Mul", inputs: [moved, half])
        let graph = try network.finish(
            network.linear("fc", network.flatten(network.globalPool(halved)), inputs: 6, outputs: 3))
        let fresh = try Pruner(graph).reinitialized(seed: 1)
        for name in ["means", "deviations", "half"] {
            #expect(try scalars(fresh, name) == scalars(graph, name), "\(name)")
        }
        for name in ["layerScale", "divisor"] {
            #expect(try scalars(fresh, name).allSatisfy { $0 == 1 }, "\(name)")
        }
        #expect(try scalars(fresh, "offset").allSatisfy { $0 == 0 })
        let output = try #require(
            try ReferenceRunner.run(fresh, inputs: Network.inputs(of: fresh, seed: 1)).first)
        let logits = output.scalars(as: Double.self)
        #expect(logits.allSatisfy(\.isFinite) && Set(logits).count > 1)
    }

    @Test(arguments: [DType.float32, .float64])
    func theSeedDecides(dtype: DType) throws {
        let pruner = try Pruner(network(dtype: dtype))
        let (one, same, other) = (
            try pruner.reinitialized(seed: 1), try pruner.reinitialized(seed: 1),
            try pruner.reinitialized(seed: 2)
        )
        #expect(one.parameterFingerprint == same.parameterFingerprint)
        #expect(one.parameterFingerprint != other.parameterFingerprint)
        #expect(try scalars(one, "product") != scalars(pruner.graph, "product"))
        // Each weight has a stream of its own: what one is cut to does not change the others.
        let group = try #require(pruner.groups["hidden.weight"])
        let slim = try Pruner(pruner.cut(dropping: [(group, [0, 5])])).reinitialized(seed: 1)
        #expect(try scalars(slim, "stem.weight") == scalars(one, "stem.weight"))
        #expect(try scalars(slim, "hidden.weight") == Array(scalars(one, "hidden.weight").prefix(58 * 40)))
    }
}
