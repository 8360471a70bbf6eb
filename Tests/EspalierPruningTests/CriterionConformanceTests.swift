import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

/// What holds for every criterion of the catalogue, whatever it measures. A new one is taken up by itself.
struct CriterionConformanceTests {
    /// A convolution of four channels, a linear layer behind it, and the evidence that a criterion asks for.
    private struct Fixture {
        static let channels = 4
        let graph: Graph
        let criterion: any Criterion
        let scene: ScoringScene
        let group: PruningGroup

        /// - Parameter order: which channel stands at each position.
        init(_ type: any Criterion.Type, order: [Int], seed: UInt64 = 5) throws {
            let source = RandomSource(seed: seed)
            func draw(_ name: String, _ shape: Shape) -> Tensor {
                var stream = source.split(name)
                return Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(stream.normal()) })
            }
            /// Numbers for every channel, in the channels' order.
            func drawChannels(_ name: String, _ shape: Shape) -> Tensor {
                let scalars = draw(name, shape).scalars(as: Float.self)
                let size = shape.count / Self.channels
                return Tensor(
                    shape: shape, scalars: order.flatMap { scalars[($0 * size)..<(($0 + 1) * size)] })
            }
            var builder = GraphBuilder(name: "conv and linear")
            let x = builder.input(
                "x",
                type: ValueType(
                    dtype: .float32, dimensions: [.symbolic("N"), .fixed(1), .fixed(4), .fixed(4)]))
            let kernel = builder.constant(
                "conv.weight", drawChannels("kernel", [Self.channels, 1, 3, 3]))
            let gamma = builder.constant("gamma", drawChannels("gamma", [Self.channels]))
            let beta = builder.constant("beta", drawChannels("beta", [Self.channels]))
            let mean = builder.constant("mean", drawChannels("mean", [Self.channels]))
            let ones = builder.constant(
                "variance",
                Tensor(shape: [Self.channels], scalars: [Float](repeating: 1, count: Self.channels)))
            let last = builder.constant("fc.weight", drawChannels("fc", [Self.channels, 3]))
            let convolved = builder.node("Conv", name: "conv", inputs: [x, kernel])
            let normal = builder.node(
                "BatchNormalization", name: "norm", inputs: [convolved, gamma, beta, mean, ones])
            let active = builder.node("Relu", inputs: [normal])
            let pooled = builder.node("GlobalAveragePool", inputs: [active])
            let flat = builder.node("Flatten", inputs: [pooled])
            let logits = builder.node("MatMul", name: "fc", inputs: [flat, last])
            graph = try builder.finish(outputs: [logits])
            let samples = 6
            let dataset = try Dataset(
                name: "noise", inputs: [.init(name: "x", values: draw("x", [samples, 1, 4, 4]))],
                labels: .classes((0..<samples).map { Int32($0 % 3) }, count: 3))
            criterion = type.init(seed: 9)
            var evidence = try EvidenceCollector(dataset, loss: CrossEntropy(), lane: Lane(threads: 1))
                .collect(criterion.requiredEvidence, from: graph)
            // What training leaves behind is read from files; any numbers do here.
            for kind in criterion.requiredEvidence where kind.isFromTraining {
                evidence[kind] = [
                    kernel: drawChannels("journey of kernel", [Self.channels, 1, 3, 3]),
                    last: drawChannels("journey of fc", [Self.channels, 3]),
                ]
            }
            scene = ScoringScene(graph, evidence: evidence)
            let groups = try Pruner(graph).groups.open
            group = try #require(groups.first { $0.size == Self.channels })
        }

        func weight(_ name: String) throws -> ScoredParameter {
            let value = try #require(graph.value(named: name))
            return try #require(scene.parameter(value.id))
        }
    }

    private static let inOrder = [0, 1, 2, 3]

    @Test func namesAreUnique() {
        let names = Criteria.all.map { $0.information.id }
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: Criteria.all.map { $0.information.id })
    func explainsItself(id: String) throws {
        let information = try Criteria.criterion(id).information
        for text in [
            information.name, information.measures, information.misleads, information.source,
            information.unit,
        ] {
            #expect(!text.isEmpty)
        }
    }

    @Test(arguments: Criteria.all.map { $0.information.id })
    func scoresEveryElementAndUnitWithANumber(id: String) throws {
        let kind = type(of: try Criteria.criterion(id))
        #expect(!kind.granularities.isEmpty)
        // Blocks and N:M groups are made of single weights.
        for other in [Granularity.Kind.inputGroups, .blocks] {
            #expect(kind.granularities.contains(other) == kind.granularities.contains(.element))
        }
        let fixture = try Fixture(kind, order: Self.inOrder)
        for name in ["conv.weight", "fc.weight"] {
            let parameter = try fixture.weight(name)
            guard kind.granularities.contains(.element) else {
                #expect(throws: PruningError.self) {
                    try fixture.criterion.elementScores(of: parameter, scene: fixture.scene)
                }
                continue
            }
            let scores = try fixture.criterion.elementScores(of: parameter, scene: fixture.scene)
            #expect(scores.count == parameter.tensor.count)
            #expect(scores.allSatisfy { $0.isFinite })
            #expect(Set(scores).count > 1, "\(name): all elements alike")
        }
        let scores = try fixture.criterion.unitScores(of: fixture.group, scene: fixture.scene)
        #expect(scores.count == Fixture.channels)
        #expect(scores.allSatisfy { $0.isFinite })
        #expect(Set(scores).count > 1, "all units alike")
    }

    /// The same network with its channels in another order has the same scores in that order.
    @Test(arguments: Criteria.all.map { $0.information.id }.filter { $0 != RandomScores.information.id })
    func scoresDoNotDependOnTheOrderOfUnits(id: String) throws {
        let order = [2, 0, 3, 1]
        let kind = type(of: try Criteria.criterion(id))
        let (one, other) = (try Fixture(kind, order: Self.inOrder), try Fixture(kind, order: order))
        let plain = try one.criterion.unitScores(of: one.group, scene: one.scene)
        let moved = try other.criterion.unitScores(of: other.group, scene: other.scene)
        let scale = plain.map(\.magnitude).max() ?? 0
        for (position, unit) in order.enumerated() {
            #expect(abs(moved[position] - plain[unit]) <= 1e-4 * scale, "unit \(unit)")
        }
    }

    /// What a criterion does not score is refused before anything is planned.
    @Test(arguments: Criteria.all.map { $0.information.id }, Granularity.examples)
    func plansWhatItScores(id: String, granularity: Granularity) throws {
        let kind = type(of: try Criteria.criterion(id))
        let fixture = try Fixture(kind, order: Self.inOrder)
        let request = PruningRequest(
            granularity, targets: [.sparsity(0.3)], criterion: fixture.criterion, prunesFirstAndLast: true)
        let pruner = try Pruner(fixture.graph)
        if kind.granularities.contains(granularity.kind) {
            let plan = try pruner.plan(request, evidence: fixture.scene.evidence)
            #expect(plan.criterion == id)
        } else {
            #expect(throws: PruningError.self) {
                try pruner.plan(request, evidence: fixture.scene.evidence)
            }
        }
    }

    @Test(arguments: Criteria.all.map { $0.information.id })
    func refusesWithoutItsEvidence(id: String) throws {
        let criterion = try Criteria.criterion(id)
        let fixture = try Fixture(type(of: criterion), order: Self.inOrder)
        let blind = ScoringScene(fixture.graph)
        if criterion.requiredEvidence.isEmpty {
            _ = try criterion.unitScores(of: fixture.group, scene: blind)
        } else {
            #expect(throws: PruningError.self) {
                try criterion.unitScores(of: fixture.group, scene: blind)
            }
        }
    }
}
