import EspalierGraphs
import EspalierKernels
import EspalierTensors
import EspalierTraining
import Testing

/// Training and recalibration of networks with batch norm and dropout.
struct NormalizationTests {
    /// A perceptron with batch norm and, if wanted, dropout after its hidden layer, and a node that takes so many samples only.
    private static func network(dropout: Bool = false, samples: Int? = nil) throws -> Graph {
        var random = RandomSource(seed: 4)
        func weight(_ shape: Shape) -> Tensor {
            Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal() * 0.5) })
        }
        func vector(_ value: Float) -> Tensor {
            Tensor(shape: [16], scalars: [Float](repeating: value, count: 16))
        }
        var builder = GraphBuilder(name: "normalized")
        let rows: Dimension = if let samples { .fixed(samples) } else { .symbolic("N") }
        let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [rows, .fixed(8)]))
        let first = builder.node(
            "Gemm", name: "fc1", inputs: [x, builder.constant("fc1.weight", weight([16, 8]))],
            attributes: ["transB": .int(1)])
        let statistics = [
            builder.constant("bn.weight", vector(1)), builder.constant("bn.bias", vector(0)),
            builder.constant("bn.running_mean", vector(0)), builder.constant("bn.running_var", vector(1)),
        ]
        var hidden = builder.node("BatchNormalization", name: "bn", inputs: [first] + statistics)
        hidden = builder.node("Relu", name: "relu", inputs: [hidden])
        if dropout { hidden = builder.node("Dropout", name: "dropout", inputs: [hidden]) }
        if let samples {
            let target = builder.constant("target", Tensor(shape: [2], scalars: [Int64(samples), 16]))
            hidden = builder.node("Reshape", name: "reshape", inputs: [hidden, target])
        }
        let logits = builder.node(
            "Gemm", name: "fc2", inputs: [hidden, builder.constant("fc2.weight", weight([3, 16]))],
            attributes: ["transB": .int(1)])
        return try builder.finish(outputs: [logits])
    }

    private static func values(_ graph: Graph, _ name: String) throws -> [Float] {
        let id = try #require(graph.value(named: name)?.id)
        return try #require(graph.constants[id]).scalars(as: Float.self)
    }

    @Test func trainingMovesTheStatisticsAndFreezingKeepsThem() throws {
        for freezes in [false, true] {
            var recipe = TrainingFixtures.recipe()
            recipe.freezesNormalization = freezes
            let run = try TrainingRun(
                Self.network(), training: TrainingFixtures.blobs(300, seed: 1),
                validation: TrainingFixtures.blobs(100, seed: 2), recipe: recipe)
            try run.train()
            let trained = try run.trainedGraph()
            #expect(try Self.values(trained, "bn.running_mean").allSatisfy { $0 == 0 } == freezes)
            #expect(try Self.values(trained, "bn.running_var").allSatisfy { $0 == 1 } == freezes)
            #expect(try #require(run.history.last?.validationAccuracy) > 0.85)
        }
    }

    @Test func dropoutDrawsTheSameAfterResuming() throws {
        func makeRun() throws -> TrainingRun {
            try TrainingRun(
                Self.network(dropout: true), training: TrainingFixtures.blobs(200, seed: 1),
                recipe: TrainingFixtures.recipe(epochs: 3))
        }
        let straight = try makeRun()
        try straight.train()
        try TrainingFixtures.withTemporaryFile { path in
            let first = try makeRun()
            try first.train(
                checkpoints: CheckpointPolicy(path: path), isCancelled: { first.stepsDone == 8 })
            let second = try makeRun()
            try second.resume(from: path)
            try second.train()
            #expect(
                TrainingFixtures.bits(try second.trainedGraph())
                    == TrainingFixtures.bits(try straight.trainedGraph()))
        }
    }

    @Test func recalibrationAveragesTheBatchesStatistics() throws {
        let graph = try Self.network()
        let data = try TrainingFixtures.blobs(120, seed: 1, labelled: false)
        let lane = try Lane(threads: 1)
        let found = try NormalizationRecalibration(lane: lane, batchSize: 120).applied(to: graph, data: data)
        // One batch of everything: plain means and variances of fc1's outputs.
        let weights = try Self.values(graph, "fc1.weight").map(Double.init)
        let x = data.x.scalars(as: Double.self)
        let means = try Self.values(found, "bn.running_mean")
        let variances = try Self.values(found, "bn.running_var")
        for unit in 0..<16 {
            let outputs = (0..<120).map { sample in
                (0..<8).reduce(0) { $0 + x[sample * 8 + $1] * weights[unit * 8 + $1] }
            }
            let mean = outputs.reduce(0, +) / 120
            let variance = outputs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 120
            #expect(abs(Double(means[unit]) - mean) < 1e-5)
            #expect(abs(Double(variances[unit]) - variance) < 1e-4)
        }
        // Several batches: the means of their statistics; nothing else changes.
        let several = try NormalizationRecalibration(lane: lane, batchSize: 30).applied(to: graph, data: data)
        for (one, all) in zip(try Self.values(several, "bn.running_mean"), means) {
            #expect(abs(one - all) < 1e-5)
        }
        #expect(try Self.values(several, "fc1.weight") == Self.values(graph, "fc1.weight"))
        #expect(try Self.values(several, "bn.weight").allSatisfy { $0 == 1 })
        #expect(several.nodes.allSatisfy { $0.attributes["momentum"] == nil }, "the node itself is as before")
    }

    @Test func recalibrationRepairsSpoiltStatistics() throws {
        let data = try TrainingFixtures.blobs(400, seed: 1)
        let test = try TrainingFixtures.blobs(200, seed: 2)
        let run = try TrainingRun(Self.network(), training: data, recipe: TrainingFixtures.recipe(epochs: 6))
        try run.train()
        let trained = try run.trainedGraph()
        var patch = Patch(for: trained)
        let mean = try #require(trained.value(named: "bn.running_mean")?.id)
        patch.append(.setConstant(mean, Tensor(shape: [16], scalars: [Float](repeating: 5, count: 16))))
        let spoilt = try trained.applying(patch)
        let repaired = try NormalizationRecalibration(lane: run.lane).applied(to: spoilt, data: data)
        func accuracy(_ graph: Graph) throws -> Double {
            try #require(try Evaluator(graph, lane: run.lane).evaluate(test).value.accuracy)
        }
        #expect(try accuracy(spoilt) < accuracy(trained) - 0.1)
        #expect(try accuracy(repaired) > accuracy(trained) - 0.03)
    }

    /// A network that takes a fixed number of samples is given so many at a time.
    @Test func fixedNumbersOfSamplesAreTaken() throws {
        let (open, fixed) = (try Self.network(), try Self.network(samples: 40))
        let data = try TrainingFixtures.blobs(120, seed: 1)
        let lane = try Lane(threads: 1)
        let expected = try NormalizationRecalibration(lane: lane, batchSize: 40).applied(to: open, data: data)
        let found = try NormalizationRecalibration(lane: lane).applied(to: fixed, data: data)
        for name in ["bn.running_mean", "bn.running_var"] {
            let (statistics, right) = (try Self.values(found, name), try Self.values(expected, name))
            #expect(zip(statistics, right).allSatisfy { abs($0 - $1) < 1e-5 }, "\(name)")
            #expect(try statistics != Self.values(fixed, name))
        }
        let (one, other) = (
            try Evaluator(expected, lane: lane).evaluate(data),
            try Evaluator(found, lane: lane).evaluate(data)
        )
        #expect(one.predictions == other.predictions)
        #expect(abs(one.value.mean - other.value.mean) < 1e-6)
        // Within one sample nothing varies.
        let single = try Self.network(samples: 1)
        let same = try NormalizationRecalibration(lane: lane).applied(to: single, data: data)
        #expect(TrainingFixtures.bits(same) == TrainingFixtures.bits(single))
    }

    @Test func networksWithoutStatisticsStayAsTheyAre() throws {
        let graph = try TrainingFixtures.network()
        let same = try NormalizationRecalibration(lane: Lane(threads: 1)).applied(
            to: graph, data: TrainingFixtures.blobs(20, seed: 1))
        #expect(TrainingFixtures.bits(same) == TrainingFixtures.bits(graph))
    }
}
