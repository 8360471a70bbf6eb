import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

/// Where channels are watched, and what is seen there, on networks whose activations are known.
struct ActivationTests {
    private func evidence(
        _ kinds: Set<EvidenceKind>, _ graph: Graph, _ x: Tensor, batchSize: Int = 3
    ) throws -> Evidence {
        try EvidenceCollector(
            Dataset(name: "given", inputs: [.init(name: "x", values: x)]), batchSize: batchSize,
            lane: Lane(threads: 1)
        ).collect(kinds, from: graph)
    }

    /// Three units of one input: w x + b with w = 1, -1, 1 and b = 0, 0, -10, behind `activation`, then a sum.
    private func threeUnits(
        _ activation: (inout GraphBuilder, ValueID) -> ValueID
    ) throws -> Graph {
        var builder = GraphBuilder(name: "three")
        let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(1)]))
        let first = builder.constant("w1", Tensor(shape: [3, 1], scalars: [1, -1, 1] as [Float]))
        let bias = builder.constant("b1", Tensor(shape: [3], scalars: [0, 0, -10] as [Float]))
        let last = builder.constant("w2", Tensor(shape: [1, 3], scalars: [1, 1, 1] as [Float]))
        let transposed: [String: Attribute] = ["transB": .int(1)]
        let hidden = builder.node("Gemm", name: "fc1", inputs: [x, first, bias], attributes: transposed)
        let active = activation(&builder, hidden)
        let output = builder.node("Gemm", name: "fc2", inputs: [active, last], attributes: transposed)
        return try builder.finish(outputs: [output])
    }

    /// Five samples: z > 0 in three, two and none of them.
    private let five = Tensor(shape: [5, 1], scalars: [1, 2, 3, -1, -2] as [Float])

    /// Whatever stands between z and a, the sign of z counts: a leaky unit passes on what it does not fire at.
    @Test(arguments: [
        "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Elu", "Selu", "Softplus", "PRelu", "Clip", "Max",
    ])
    func firingIsTheSignOfWhatTheNonlinearityReads(type: String) throws {
        let graph = try threeUnits { builder, z in
            switch type {
            case "PRelu":
                let slope = builder.constant(
                    "slope", Tensor(shape: [3], scalars: [0.1, 0.2, 0.3] as [Float]))
                return builder.node(type, inputs: [z, slope])
            case "Clip", "Max":
                return builder.node(type, inputs: [z, builder.constant("zero", Tensor(Float(0)))])
            default: return builder.node(type, inputs: [z])
            }
        }
        let evidence = try evidence(FiringProbability().requiredEvidence, graph, five)
        let group = try #require(Pruner(graph).groups["w1"])
        let scores = try FiringProbability().unitScores(
            of: group, scene: ScoringScene(graph, evidence: evidence))
        #expect(zip(scores, [0.6, 0.4, 0]).allSatisfy { abs($0 - $1) < 1e-6 }, "\(scores)")
    }

    /// Without a nonlinearity a unit fires where it is not zero; straight functions do not count as one.
    @Test(arguments: ["Identity", "Neg", "Add", "Mul"])
    func linearUnitsFireWhereTheyAreNotZero(type: String) throws {
        let graph = try threeUnits { builder, z in
            let operands =
                ["Add", "Mul"].contains(type)
                ? [
                    z,
                    builder.constant(
                        "c", Tensor(shape: [3], scalars: (type == "Add" ? [0, 0, 0] : [2, 0, 1]) as [Float])),
                ]
                : [z]
            return builder.node(type, inputs: operands)
        }
        let evidence = try evidence(FiringProbability().requiredEvidence, graph, five)
        let group = try #require(Pruner(graph).groups["w1"])
        let scores = try FiringProbability().unitScores(
            of: group, scene: ScoringScene(graph, evidence: evidence))
        #expect(zip(scores, [1, type == "Mul" ? 0 : 1, 1]).allSatisfy { abs($0 - $1) < 1e-6 }, "\(scores)")
    }

    @Test func zerosBehindReLU() throws {
        let graph = try threeUnits { builder, z in builder.node("Relu", inputs: [z]) }
        let evidence = try evidence(AveragePercentageOfZeros().requiredEvidence, graph, five)
        let group = try #require(Pruner(graph).groups["w1"])
        let scores = try AveragePercentageOfZeros().unitScores(
            of: group, scene: ScoringScene(graph, evidence: evidence))
        #expect(zip(scores, [0.6, 0.4, 0]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// A map fires if any position does; the share of positions tells equals apart.
    @Test func mapsFireIfAnyPositionDoes() throws {
        var builder = GraphBuilder(name: "maps")
        let x = builder.input(
            "x",
            type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(1), .fixed(2), .fixed(2)]))
        let kernel = builder.constant("w", Tensor(shape: [3, 1, 1, 1], scalars: [1, -1, 1] as [Float]))
        let bias = builder.constant("b", Tensor(shape: [3], scalars: [0, 0, -2] as [Float]))
        let convolved = builder.node("Conv", name: "conv", inputs: [x, kernel, bias])
        let flat = builder.node("Flatten", inputs: [builder.node("Relu", inputs: [convolved])])
        let last = builder.constant(
            "last", Tensor(shape: [12, 1], scalars: [Float](repeating: 1, count: 12)))
        let output = builder.node("MatMul", inputs: [flat, last])
        let graph = try builder.finish(outputs: [output])
        let images = Tensor(
            shape: [4, 1, 2, 2],
            scalars: [1, 1, 1, 3, -1, -1, -1, 1, -1, -1, -1, -1, 1, 1, 1, 1] as [Float])
        for batchSize in 1...4 {
            let evidence = try evidence(
                FiringProbability().requiredEvidence, graph, images, batchSize: batchSize)
            let group = try #require(Pruner(graph).groups["w"])
            let scores = try FiringProbability().unitScores(
                of: group, scene: ScoringScene(graph, evidence: evidence))
            // Fires in 3, 2 and 1 of four; at 9, 7 and 1 of sixteen.
            let expected = [(3 + 9.0 / 16) / 5, (2 + 7.0 / 16) / 5, (1 + 1.0 / 16) / 5]
            #expect(zip(scores, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(scores)")
        }
    }

    /// A unit that was flattened before its nonlinearity fires if any of its positions does.
    @Test func flattenedUnitsKeepTogether() throws {
        var builder = GraphBuilder(name: "flat first")
        let x = builder.input(
            "x",
            type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(1), .fixed(1), .fixed(2)]))
        let kernel = builder.constant("w", Tensor(shape: [2, 1, 1, 1], scalars: [1, -1] as [Float]))
        let flat = builder.node("Flatten", inputs: [builder.node("Conv", inputs: [x, kernel])])
        let active = builder.node("Relu", inputs: [flat])
        let last = builder.constant("last", Tensor(shape: [4, 1], scalars: [1, 1, 1, 1] as [Float]))
        let output = builder.node("MatMul", inputs: [active, last])
        let graph = try builder.finish(outputs: [output])
        let images = Tensor(shape: [2, 1, 1, 2], scalars: [1, -1, 2, 3] as [Float])
        let evidence = try evidence(FiringProbability().requiredEvidence, graph, images)
        let group = try #require(Pruner(graph).groups["w"])
        let scores = try FiringProbability().unitScores(
            of: group, scene: ScoringScene(graph, evidence: evidence))
        #expect(
            zip(scores, [(2 + 0.75) / 3, (1 + 0.25) / 3]).allSatisfy { abs($0 - $1) < 1e-6 }, "\(scores)")
    }

    /// In a residual network the stream's units are watched behind every sum; they matter where they matter most.
    @Test func residualStreamsAreWatchedAtEveryBlock() throws {
        let size = 4
        var network = Network("residual", dtype: .float32)
        let x = network.image(channels: 1, size: size)
        var stream = network.relu(network.convolution("stem", x, inputs: 1, outputs: 3))
        for block in ["a", "b"] {
            let inner = network.relu(network.convolution("\(block)1", stream, inputs: 3, outputs: 5))
            stream = network.relu(
                network.add(stream, network.convolution("\(block)2", inner, inputs: 5, outputs: 3)))
        }
        let graph = try network.finish(
            network.linear("fc", network.flatten(stream), inputs: 3 * size * size, outputs: 2))
        let resolved = try ResolvedGraph(graph)
        let sites = ActivationSites(resolved, PruningGroups(resolved))
        let group = try #require(PruningGroups(resolved)["stem.weight"])
        let watched = Set(sites.inputs.map(\.value)).intersection(group.activations.map(\.axis.value))
        #expect(watched.count == 3)
        #expect(sites.linear.isEmpty)
        // The stream ends in both blocks' first convolutions and in the last layer.
        let endings = sites.endingPorts.filter { ending in
            group.activations.contains { $0.axis == ending.axis }
        }
        #expect(endings.count == 3)
    }

    /// Passes of both kinds are made once each, whoever asks, and say what they took.
    @Test func onePassForAllOfItsKinds() throws {
        let graph = try threeUnits { builder, z in builder.node("Relu", inputs: [z]) }
        let criteria: [any Criterion] = [
            FiringProbability(), AveragePercentageOfZeros(), FeatureMapRank(), Wanda(),
        ]
        let kinds = criteria.reduce(into: Set<EvidenceKind>()) { $0.formUnion($1.requiredEvidence) }
        let evidence = try evidence(kinds, graph, five)
        #expect(evidence.costs.map(\.kinds) == [kinds])
        #expect(evidence.kinds == kinds)
        #expect(evidence.byteCount(of: [.inputNorms]) == (3 + 3) * 4)
    }

    @Test func gradientsNeedLabels() throws {
        let graph = try threeUnits { builder, z in builder.node("Relu", inputs: [z]) }
        #expect(throws: TrainingError.self) { try evidence([.meanGradients], graph, five) }
    }
}
