import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierTensors
import Testing

struct CriterionTests {
    /// Contributions given by hand, for testing the reduction.
    private struct Given: Criterion {
        static let information = CriterionInformation(
            id: "given", name: "", measures: "", misleads: "", source: "", unit: "")
        var reduction: Reduction = .sum

        init(seed: UInt64) {}
        init(_ reduction: Reduction) { self.reduction = reduction }

        func contributions(
            of parameter: ScoredParameter, scene: ScoringScene
        ) throws(PruningError) -> [Float] { parameter.tensor.scalars(as: Float.self) }
    }

    /// fc1: 2 inputs, 3 hidden; fc2: 3 hidden, 1 output.
    private func twoLayers(_ first: [Float], _ second: [Float]) throws -> Pruner {
        var builder = GraphBuilder(name: "two")
        let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(2)]))
        let left = builder.constant("w1", Tensor(shape: [3, 2], scalars: first))
        let bias = builder.constant("b1", Tensor(shape: [3], scalars: [100, 200, 300] as [Float]))
        let right = builder.constant("w2", Tensor(shape: [3, 1], scalars: second))
        let hidden = builder.node(
            "Gemm", name: "fc1", inputs: [x, left, bias], attributes: ["transB": .int(1)])
        let output = builder.node("MatMul", name: "fc2", inputs: [hidden, right])
        return try Pruner(try builder.finish(outputs: [output]))
    }

    @Test func magnitudeIsTheNormOfAllSlicesWithoutBiases() throws {
        let pruner = try twoLayers([3, 0, 1, 2, 0, 0], [4, 2, 7])
        let group = try #require(pruner.groups.open.first)
        let scores = try Magnitude().unitScores(of: group, scene: ScoringScene(pruner.graph))
        #expect(scores == [5, 3, 7])
        let sums = try MagnitudeL1().unitScores(of: group, scene: ScoringScene(pruner.graph))
        #expect(sums == [7, 5, 7])
    }

    private static let examples: [(Reduction, [Double])] = [
        (.sum, [7, 5, 7]), (.mean, [7.0 / 3, 5.0 / 3, 7.0 / 3]), (.maximum, [4, 2, 7]),
    ]

    @Test(arguments: examples)
    func reductions(_ reduction: Reduction, _ expected: [Double]) throws {
        let pruner = try twoLayers([3, 0, 1, 2, 0, 0], [4, 2, 7])
        let group = try #require(pruner.groups.open.first)
        let scores = try Given(reduction).unitScores(of: group, scene: ScoringScene(pruner.graph))
        #expect(zip(scores, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    /// The same network built in another order has its members in another order, and the same scores to the
    /// bit.
    @Test func scoresDoNotDependOnTheOrderOfMembers() throws {
        func scores(reversed: Bool) throws -> [Double] {
            var random = RandomSource(seed: 7)
            let tensors = (0..<4).map { _ in
                Tensor(shape: [5, 5], scalars: (0..<25).map { _ in Float(random.normal()) })
            }
            var builder = GraphBuilder(name: "parallel")
            let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 5]))
            var weights: [ValueID] = []
            for place in reversed ? [3, 2, 1, 0] : [0, 1, 2, 3] {
                weights.append(builder.constant("w\(place)", tensors[place]))
            }
            if reversed { weights.reverse() }
            let producer = builder.node("MatMul", name: "p", inputs: [x, weights[0]])
            let consumers = weights[1...].map { builder.node("MatMul", inputs: [producer, $0]) }
            let graph = try builder.finish(outputs: reversed ? consumers.reversed() : consumers)
            let pruner = try Pruner(graph)
            return try Magnitude().unitScores(
                of: try #require(pruner.groups.open.first), scene: ScoringScene(graph))
        }
        let (one, other) = (try scores(reversed: false), try scores(reversed: true))
        #expect(zip(one, other).allSatisfy { abs($0 - $1) <= 1e-15 * $0 })
        #expect(Set(one).count == 5)
    }

    /// Where a weight is both producer and consumer of a unit, the element on the diagonal counts once.
    @Test func overlappingSlicesCountOnce() throws {
        var builder = GraphBuilder(name: "shared")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 2]))
        let start = builder.constant("start", Tensor(shape: [2, 2], scalars: [0, 0, 0, 0] as [Float]))
        let shared = builder.constant(
            "shared", Tensor(shape: [2, 2], scalars: [1, 10, 100, 1000] as [Float]))
        let end = builder.constant("end", Tensor(shape: [2, 1], scalars: [0, 0] as [Float]))
        let first = builder.node("MatMul", inputs: [x, start])
        let once = builder.node("MatMul", inputs: [first, shared])
        let twice = builder.node("MatMul", inputs: [once, shared])
        let output = builder.node("MatMul", inputs: [twice, end])
        let graph = try builder.finish(outputs: [output])
        let group = try #require(try Pruner(graph).groups.open.first)
        let scores = try Given(.sum).unitScores(of: group, scene: ScoringScene(graph))
        #expect(scores == [111, 1110])
    }

    @Test func saliencyReadsItsEvidenceAndRefusesWithout() throws {
        let pruner = try twoLayers([3, 0, 1, 2, 0, 0], [4, 2, 7])
        let group = try #require(pruner.groups.open.first)
        var evidence = Evidence(sampleCount: 10)
        for (name, shape) in [("w1", Shape([3, 2])), ("w2", Shape([3, 1]))] {
            let id = try #require(pruner.graph.value(named: name)).id
            let squares = (0..<shape.count).map { Float($0 + 1) }
            evidence[.meanSquaredGradients][id] = Tensor(shape: shape, scalars: squares)
        }
        let scores = try EmpiricalFisher().unitScores(
            of: group, scene: ScoringScene(pruner.graph, evidence: evidence))
        #expect(scores == [4, 9, 14])
        let request = PruningRequest(.element, targets: [.sparsity(0.5)], criterion: EmpiricalFisher())
        #expect(throws: PruningError.self) { try pruner.plan(request) }
        #expect(try pruner.plan(request, evidence: evidence).elements?.count == 2)
    }

    /// Terms are summed with their signs before the size is taken, over the producer's slice and the consumer's.
    @Test func taylorSumsSignedTermsAndRefusesWithoutGradients() throws {
        let pruner = try twoLayers([3, 0, 1, 2, 0, 0], [4, 2, 7])
        let group = try #require(pruner.groups.open.first)
        var evidence = Evidence(sampleCount: 10)
        let first = try #require(pruner.graph.value(named: "w1")).id
        let second = try #require(pruner.graph.value(named: "w2")).id
        evidence[.meanGradients][first] = Tensor(shape: [3, 2], scalars: [2, 9, -1, 1, 5, 5] as [Float])
        evidence[.meanGradients][second] = Tensor(shape: [3, 1], scalars: [-2, -3, 1] as [Float])
        let scene = ScoringScene(pruner.graph, evidence: evidence)
        // 3*2 + 0*9 - 4*2, 1*-1 + 2*1 - 2*3, 7*1
        #expect(try FirstOrderTaylor().unitScores(of: group, scene: scene) == [2, 5, 7])
        let weight = try #require(scene.parameter(first))
        #expect(try FirstOrderTaylor().elementScores(of: weight, scene: scene) == [6, 0, 1, 2, 0, 0])
        let request = PruningRequest(.element, targets: [.sparsity(0.5)], criterion: FirstOrderTaylor())
        #expect(throws: PruningError.self) { try pruner.plan(request) }
    }

    @Test func randomScoresDependOnTheSeedAndNothingElse() throws {
        let pruner = try twoLayers([3, 0, 1, 2, 0, 0], [4, 2, 7])
        let group = try #require(pruner.groups.open.first)
        let scene = ScoringScene(pruner.graph)
        let one = try RandomScores(seed: 1).unitScores(of: group, scene: scene)
        #expect(try RandomScores(seed: 1).unitScores(of: group, scene: scene) == one)
        #expect(try RandomScores(seed: 2).unitScores(of: group, scene: scene) != one)
        #expect(one.allSatisfy { (0..<1).contains($0) })
    }

    @Test func notANumberIsReported() throws {
        let pruner = try twoLayers([3, 0, .nan, 2, 0, 0], [4, 2, 7])
        for granularity in Granularity.examples {
            let request = PruningRequest(granularity, targets: [.sparsity(0.3)], prunesFirstAndLast: true)
            #expect(throws: PruningError.self) { try pruner.plan(request) }
        }
    }
}
