import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

/// Why a unit that never fires has no salient incoming weight. With z = w.x + b, a = phi(z), phi piecewise linear with slope
/// s below zero and delta = dL/da of one sample's loss, dL/dw_j = delta phi'(z) x_j, so that
///
///     E[g_j^2] = P(z > 0) E[delta^2 x_j^2 | z > 0] + s^2 P(z <= 0) E[delta^2 x_j^2 | z <= 0]
///
/// The left side is measured in the backward pass (per-sample squares), the right side from delta, x and z.
struct SaliencyIdentityTests {
    private static let features = 6
    private static let hidden = 10
    private static let classes = 3
    private static let samples = 90

    private static func blobs() throws -> Dataset {
        var random = RandomSource(seed: 11)
        let labels = (0..<samples).map { _ in Int32(random.next() % UInt64(classes)) }
        let values = labels.flatMap { label in
            (0..<features).map { Float(random.normal() + (Int32($0 % classes) == label ? 2 : 0)) }
        }
        return try Dataset(
            name: "blobs",
            inputs: [.init(name: "x", values: Tensor(shape: [samples, features], scalars: values))],
            labels: .classes(labels, count: classes))
    }

    /// What a network's first layer reads, z, and delta = dL/da of every sample.
    private struct Sides {
        let squares: [Double]
        let z: [Double]
        let delta: [Double]
        let firing: Evidence
        let graph: Graph
    }

    /// Trains a network for a few epochs and measures both sides.
    ///
    /// - Parameters:
    ///   - make: the network, the value z and a.
    ///   - weight: the name of the first layer's weight.
    private func measure(
        _ dataset: Dataset, weight: String, make: () throws -> (graph: Graph, z: String, a: String)
    ) throws -> Sides {
        let (plain, z, a) = try make()
        let lane = try Lane(threads: 1)
        let run = try TrainingRun(
            plain, training: dataset,
            recipe: TrainingRecipe(epochs: 6, batchSize: 16, schedule: CosineAnnealing(peak: 0.05), seed: 3),
            lane: lane)
        _ = try run.train()
        let graph = try run.trainedGraph()
        let evidence = try EvidenceCollector(dataset, batchSize: 32, lane: lane).collect(
            [.meanSquaredGradients, .firingSamples, .firingShares], from: graph)
        let value = try #require(graph.value(named: weight)).id
        let squares = try #require(evidence[.meanSquaredGradients][value]).scalars(as: Double.self)
        var options = InferenceSession.Options()
        options.outputs = [z, a]
        let seen = try InferenceSession(graph: graph, options: options).run(["x": dataset.x])
        let active = try #require(seen[a])
        return Sides(
            squares: squares, z: try #require(seen[z]).scalars(as: Double.self),
            delta: try gradients(of: graph, from: a, at: active, dataset: dataset, lane: lane),
            firing: evidence,
            graph: graph)
    }

    /// dL/da of each sample: the part of the network behind `a` is a network of its own, with `a` for its input.
    private func gradients(
        of graph: Graph, from name: String, at active: Tensor, dataset: Dataset, lane: Lane
    ) throws -> [Double] {
        var patch = Patch(for: graph)
        let old = try #require(graph.value(named: name))
        let new = patch.newValue("a", type: ValueType(dtype: .float32, shape: active.shape))
        patch.append(.replaceUses(of: old.id, with: new))
        patch.append(.setInputs([new]))
        // What made it goes, with all before it.
        let nodes = graph.nodes
        var needed: Set<ValueID> = [old.id]
        for node in nodes.reversed() where node.outputs.contains(where: { $0.map(needed.contains) ?? false })
        {
            needed.formUnion(node.dependencies)
            patch.append(.remove(node.id))
        }
        let tail = try graph.applying(patch)
        let resolved = try ResolvedGraph(tail, inputShapes: [new: active.shape])
        var options = TrainingSession.Options(
            phase: .training(frozenNormalization: true, seed: 0), threads: 1)
        options.inputGradients = true
        return try lane.run {
            let session = try TrainingSession(
                resolved, outputs: tail.outputs, parameters: ParameterStore(resolved), options: options)
            try session.setInput("a", to: active)
            try session.forward()
            let logits = Array(session.outputs[0])
            guard case .classes(let labels, let count) = dataset.labels else { return [] }
            // Of the cross-entropy of each sample: softmax less the label.
            for sample in labels.indices {
                let row = logits[(sample * count)..<((sample + 1) * count)].map { Double($0) }
                let top = row.max() ?? 0
                let powers = row.map { Double.exp($0 - top) }
                let total = powers.reduce(0, +)
                for label in 0..<count {
                    session.outputGradients[0][sample * count + label] = Float(
                        powers[label] / total - (Int32(label) == labels[sample] ? 1 : 0))
                }
            }
            try session.backward()
            return try #require(session.inputGradient("a")).map { Double($0) }
        }
    }

    /// - Parameter slope: below zero; 0 is ReLU.
    @Test(arguments: [0, 0.2] as [Float])
    func linearLayers(slope: Float) throws {
        let dataset = try Self.blobs()
        let sides = try measure(dataset, weight: "fc1.weight") {
            var network = Network("linear", seed: 5, dtype: .float32)
            let x = network.input("x", [.symbolic("N"), .fixed(Self.features)])
            let z = network.linear("fc1", x, inputs: Self.features, outputs: Self.hidden)
            let a = network.builder.node(
                slope == 0 ? "Relu" : "LeakyRelu", inputs: [z],
                attributes: slope == 0 ? [:] : ["alpha": .float(slope)])
            let graph = try network.finish(
                network.linear("fc2", a, inputs: Self.hidden, outputs: Self.classes))
            return (graph, graph.name(of: z), graph.name(of: a))
        }
        let x = dataset.x.scalars(as: Double.self)
        let (samples, hidden, features) = (Self.samples, Self.hidden, Self.features)
        let largest = sides.squares.max() ?? 0
        #expect(largest > 0)
        for unit in 0..<hidden {
            let fires = (0..<samples).map { sides.z[$0 * hidden + unit] > 0 }
            let share = Double(fires.count { $0 }) / Double(samples)
            for feature in 0..<features {
                /// The mean of delta^2 x^2 over the samples in which the unit fires, or does not.
                func mean(_ firing: Bool) -> Double {
                    let chosen = (0..<samples).filter { fires[$0] == firing }
                    guard !chosen.isEmpty else { return 0 }
                    return chosen.reduce(0) { sum, sample in
                        let g = sides.delta[sample * hidden + unit] * x[sample * features + feature]
                        return sum + g * g
                    } / Double(chosen.count)
                }
                let s = Double(slope)
                let right = share * mean(true) + s * s * (1 - share) * mean(false)
                let left = sides.squares[unit * features + feature]
                #expect(abs(left - right) <= 1e-5 * largest, "unit \(unit), feature \(feature)")
            }
            // P(z > 0) is what the activation pass measures.
            let value = try #require(sides.firing[.firingSamples].first).value.scalars(as: Double.self)
            #expect(abs(value[unit] - share) < 1e-6)
        }
    }

    /// A convolution's gradient is a sum over positions; it is zero in samples in which no position fires. So
    /// E[g^2] = P(any position fires) E[g^2 | any], g made here of delta, x and z.
    @Test func convolutions() throws {
        let (size, channels) = (4, 5)
        var random = RandomSource(seed: 21)
        let labels = (0..<Self.samples).map { _ in Int32(random.next() % UInt64(Self.classes)) }
        let images = labels.flatMap { label in
            (0..<(size * size)).map { Float(random.normal() + (Int32($0 % Self.classes) == label ? 1 : 0)) }
        }
        let dataset = try Dataset(
            name: "images",
            inputs: [
                .init(name: "x", values: Tensor(shape: [Self.samples, 1, size, size], scalars: images))
            ],
            labels: .classes(labels, count: Self.classes))
        let sides = try measure(dataset, weight: "conv.weight") {
            var network = Network("convolution", seed: 6, dtype: .float32)
            let x = network.image(channels: 1, size: size)
            // Biases that let channels fire seldom, so that some samples fire nowhere.
            let weight = network.weight("conv.weight", [channels, 1, 3, 3])
            let bias = network.builder.constant(
                "conv.bias", Tensor(shape: [channels], scalars: [0, -1, -1.5, -2, -2.5] as [Float]))
            let z = network.convolution("conv", x, weight: weight, bias: bias, padding: 1)
            let a = network.relu(z)
            let graph = try network.finish(
                network.linear(
                    "fc", network.flatten(a), inputs: channels * size * size, outputs: Self.classes))
            return (graph, graph.name(of: z), graph.name(of: a))
        }
        let positions = size * size
        let largest = sides.squares.max() ?? 0
        let measured = try #require(sides.firing[.firingSamples].first).value.scalars(as: Double.self)
        var seldom = 0
        for channel in 0..<channels {
            func start(_ sample: Int) -> Int { (sample * channels + channel) * positions }
            let firing = (0..<Self.samples).filter { sample in
                (0..<positions).contains { sides.z[start(sample) + $0] > 0 }
            }
            let share = Double(firing.count) / Double(Self.samples)
            #expect(abs(measured[channel] - share) < 1e-6)
            if share < 1 { seldom += 1 }
            for tap in 0..<9 {
                let given =
                    firing.reduce(0.0) { sum, sample in
                        var g = 0.0
                        for row in 0..<size {
                            for column in 0..<size where sides.z[start(sample) + row * size + column] > 0 {
                                let (y, x) = (row + tap / 3 - 1, column + tap % 3 - 1)
                                guard (0..<size).contains(y), (0..<size).contains(x) else { continue }
                                g +=
                                    sides.delta[start(sample) + row * size + column]
                                    * Double(images[sample * positions + y * size + x])
                            }
                        }
                        return sum + g * g
                    } / Double(max(1, firing.count))
                let left = sides.squares[channel * 9 + tap]
                #expect(abs(left - share * given) <= 1e-5 * largest, "channel \(channel), tap \(tap)")
            }
        }
        #expect(seldom > 0, "every channel fires in every sample: the test would show nothing")
    }
}
