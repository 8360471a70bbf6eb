import EspalierGraphs
import EspalierPruning
import EspalierTensors
import Testing

struct ScoringTests {
    // MARK: Gini and correlation

    private static let spreads: [([Double], Double)] = [
        ([3, 3, 3, 3], 0), ([0, 0, 0, 5], 0.75), ([1, 2, 3], 2.0 / 9), ([4], 0), ([1, 0], 0.5),
    ]

    @Test(arguments: spreads)
    func giniOfKnownSpreads(amounts: [Double], expected: Double) throws {
        let gini = try #require(GiniCoefficient.of(amounts))
        #expect(abs(gini - expected) < 1e-12)
        // Neither scale nor order matters.
        #expect(abs(try #require(GiniCoefficient.of(amounts.reversed().map { $0 * 1e9 })) - expected) < 1e-12)
    }

    /// Half the mean absolute difference over all pairs, relative to the mean.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func giniIsThatOfAllPairs(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let amounts = (0..<40).map { _ in random.uniform() * random.uniform() }
        let pairs = amounts.flatMap { one in amounts.map { abs(one - $0) } }.reduce(0, +)
        let mean = amounts.reduce(0, +) / 40
        #expect(abs(try #require(GiniCoefficient.of(amounts)) - pairs / (2 * 1600 * mean)) < 1e-12)
    }

    @Test(arguments: [[], [0, 0], [-1, 2], [.infinity, 1], [.nan]] as [[Double]])
    func giniOfNonsenseIsNil(amounts: [Double]) {
        #expect(GiniCoefficient.of(amounts) == nil)
    }

    @Test func correlations() throws {
        let x: [Double] = [1, 2, 3, 4, 5]
        #expect(abs(try #require(Correlation.pearson(x, x.map { 7 - 2 * $0 })) + 1) < 1e-12)
        // Monotone, not straight.
        let cubes = x.map { $0 * $0 * $0 }
        #expect(abs(try #require(Correlation.spearman(x, cubes)) - 1) < 1e-12)
        #expect(try #require(Correlation.pearson(x, cubes)) < 0.99)
        // scipy.stats.spearmanr([1, 2, 2, 4], [10, 20, 40, 30]) with a tie.
        #expect(
            abs(try #require(Correlation.spearman([1, 2, 2, 4], [10, 20, 40, 30])) - 0.6324555320336759)
                < 1e-12)
        #expect(Correlation.pearson(x, [3, 3, 3, 3, 3]) == nil)
        #expect(Correlation.pearson([1], [2]) == nil)
        let tiny = try #require(Correlation.pearson(x.map { $0 * 1e-200 }, x.map { $0 * 1e-180 }))
        #expect(abs(tiny - 1) < 1e-9)
    }

    // MARK: Normalisation and aggregation

    @Test func normalizations() {
        let scores: [Double] = [1, 3, 3, 5]
        func agree(_ normalization: ScoreNormalization, _ expected: [Double]) -> Bool {
            zip(normalization.normalized(scores), expected).allSatisfy { abs($0 - $1) < 1e-12 }
        }
        #expect(agree(.none, scores))
        #expect(agree(.mean, scores.map { $0 / 3 }))
        #expect(agree(.maximum, scores.map { $0 / 5 }))
        #expect(ScoreNormalization.rank.normalized(scores) == [0, 0.5, 0.5, 1])
        // Nothing to divide by: the scores stay.
        #expect(ScoreNormalization.mean.normalized([0, 0]) == [0, 0])
        #expect(ScoreNormalization.rank.normalized([]) == [])
        #expect(ScoreNormalization.rank.normalized([8]) == [0.5])
    }

    /// fc1: 2 inputs, 3 hidden; fc2: 3 hidden, 1 output; each unit with weights by hand.
    private func pruner() throws -> Pruner {
        var builder = GraphBuilder(name: "two")
        let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(2)]))
        let left = builder.constant("w1", Tensor(shape: [3, 2], scalars: [3, 0, 1, 2, 0, 0] as [Float]))
        let right = builder.constant("w2", Tensor(shape: [3, 1], scalars: [-4, 2, 7] as [Float]))
        let hidden = builder.node("Gemm", name: "fc1", inputs: [x, left], attributes: ["transB": .int(1)])
        let output = builder.node("MatMul", name: "fc2", inputs: [hidden, right])
        return try Pruner(try builder.finish(outputs: [output]))
    }

    private static let aggregations: [(Reduction, [Double])] = [
        (.sum, [7, 5, 7]), (.mean, [7.0 / 3, 5.0 / 3, 7.0 / 3]), (.maximum, [4, 2, 7]),
        (.euclidean, [5, 3, 7]),
    ]

    /// Of the elements' scores, |w|, whatever the criterion does by itself.
    @Test(arguments: aggregations)
    func aggregationIsOfElementScores(_ aggregation: Reduction, _ expected: [Double]) throws {
        for criterion in [Magnitude(), MagnitudeL1()] as [any Criterion] {
            var scorer = Scorer(try pruner(), aggregation: aggregation)
            scorer.normalization = ScoreNormalization.none
            let result = try scorer.scores(criterion, granularity: .channel)
            let scores = try #require(result.layers.first).scores
            #expect(zip(scores, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(scores)")
        }
    }

    @Test func criteriaOfChannelsHaveNothingToAggregate() throws {
        let scorer = Scorer(try pruner(), aggregation: .sum)
        #expect(throws: PruningError.self) {
            try scorer.scores(GeometricMedianDistance(), granularity: .channel)
        }
        #expect(throws: PruningError.self) {
            try Scorer(pruner()).scores(GeometricMedianDistance(), granularity: .element)
        }
    }

    @Test func scoresHaveTheWeightsNamesAndShapes() throws {
        let pruner = try pruner()
        let elements = try Scorer(pruner).scores(Magnitude(), granularity: .element)
        #expect(elements.layers.map(\.name) == ["w1", "w2"])
        #expect(elements.layers.map(\.shape) == [[3, 2], [3, 1]])
        #expect(elements.layers.map(\.scores) == [[3, 0, 1, 2, 0, 0], [4, 2, 7]])
        #expect(elements.layers[0].nearZeroShare == 0.5)
        let channels = try Scorer(pruner).scores(Magnitude(), granularity: .channel)
        #expect(channels.layers.map(\.name) == ["w1"])
        // Frozen groups are told, not scored.
        #expect(channels.refusals.count == 2)
    }

    /// What every weight is compared with is found once, however many weights there are.
    @Test func totalsAreComputedOnce() throws {
        let scene = ScoringScene(try pruner().graph)
        var calls = 0
        for _ in 0..<3 {
            let total = scene.total(of: "snip") {
                calls += 1
                return 2.5
            }
            #expect(total == 2.5)
        }
        #expect(calls == 1)
        let other = scene.total(of: "another") { 1 }
        #expect(other == 1)
    }

    // MARK: Criteria on weights alone, by hand

    /// Distances between (3, 0), (1, 2) and (0, 0), without the consumer's weights.
    @Test func fpgmSumsDistancesOfProducers() throws {
        var scorer = Scorer(try pruner())
        scorer.normalization = ScoreNormalization.none
        let result = try scorer.scores(GeometricMedianDistance(), granularity: .channel)
        let (one, two, three) = (8.0.squareRoot(), 3.0, 5.0.squareRoot())
        let scores = try #require(result.layers.first).scores
        #expect(zip(scores, [one + two, one + three, two + three]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// w^2 over the sum of squares at least as large; equal weights alike, zeros nothing.
    @Test func lampByHand() throws {
        let result = try Scorer(pruner()).scores(LayerAdaptiveMagnitude(), granularity: .element)
        let scores = result.layers.map(\.scores)
        let expected: [[Double]] = [[1, 0, 1.0 / 14, 4.0 / 13, 0, 0], [16.0 / 65, 4.0 / 69, 1]]
        #expect(zip(scores.joined(), expected.joined()).allSatisfy { abs($0 - $1) < 1e-6 })
        let tied = ScoredParameter(
            id: try #require(pruner().graph.value(named: "w1")).id, name: "w",
            tensor: Tensor(shape: [4], scalars: [2, -2, 1, 2] as [Float]))
        let alike = try LayerAdaptiveMagnitude().elementScores(
            of: tied, scene: ScoringScene(try pruner().graph))
        let shares: [Double] = [4.0 / 12, 4.0 / 12, 1.0 / 13, 4.0 / 12]
        #expect(zip(alike, shares).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    }

    /// Batch norm's factor alone, with the sign lost; groups without one are refused, not guessed.
    @Test func batchNormScale() throws {
        var network = Network("norm", dtype: .float32)
        let x = network.image(channels: 1, size: 4)
        let first = network.convolution("a", x, inputs: 1, outputs: 3)
        let normal = network.relu(network.normalization("norm", first, channels: 3))
        let second = network.relu(network.convolution("b", normal, inputs: 3, outputs: 4))
        let graph = try network.finish(network.convolution("c", second, inputs: 4, outputs: 2))
        let result = try Scorer(try Pruner(graph)).scores(NormalizationScale(), granularity: .channel)
        #expect(result.layers.map(\.name) == ["a.weight"])
        let gamma = try #require(graph.value(named: "norm.scale")).id
        let sizes = try #require(graph.constants[gamma]).scalars(as: Double.self).map(abs)
        #expect(result.layers.first?.scores == sizes)
        #expect(result.refusals.contains { $0.name == "b.weight" && $0.reason.contains("no batch norm") })
    }
}
