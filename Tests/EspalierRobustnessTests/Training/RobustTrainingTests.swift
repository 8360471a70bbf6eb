import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// Notes the samples of a step when all hooks before it have had their turn.
private final class SampleSpy: StepHook {
    let identity = "spy"
    private(set) var steps: [(samples: [Int], values: [Float])] = []

    func willCompute(_ run: TrainingRun) throws {
        let batch = try #require(run.batchUnderWay)
        let memory = try #require(run.inputUnderWay("x"))
        steps.append((Array(batch.samples), Array(memory)))
    }
}

struct AdversarialTrainingTests {
    private static let size = 12
    private static let (mean, deviation): (Float, Float) = (0.3, 0.25)

    /// A linear classifier of two classes, whose worst samples are known: every value as far as it may go against the sign of the
    /// difference of the classes' weights.
    private static func linear(seed: UInt64) throws -> (graph: Graph, slopes: [Float], data: Dataset) {
        var random = RandomSource(seed: seed)
        let weights = (0..<(2 * size)).map { _ in Float(random.normal()) }
        var builder = GraphBuilder(name: "linear")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(size)]))
        let output = builder.node(
            "Gemm", name: "fc",
            inputs: [x, builder.constant("w", Tensor(shape: [2, size], scalars: weights))],
            attributes: ["transB": .int(1)])
        let raw = (0..<(40 * size)).map { _ in Float(random.uniform()) }
        let data = try Dataset(
            name: "points",
            inputs: [
                .init(
                    name: "x",
                    values: Tensor(shape: [40, size], scalars: raw.map { ($0 - mean) / deviation }))
            ], labels: .classes((0..<40).map { Int32($0 % 2) }, count: 2),
            preprocessing: Preprocessing(mean: [mean], standardDeviation: [deviation]))
        return (
            try builder.finish(outputs: [output]), (0..<size).map { weights[size + $0] - weights[$0] }, data
        )
    }

    /// The samples of the first epoch's steps, as a hook puts them into place; the network hardly learns.
    private static func steps(
        _ settings: AdversarialTraining, seed: UInt64
    ) throws -> [(samples: [Int], values: [Float])] {
        let (graph, _, data) = try linear(seed: seed)
        let spy = SampleSpy()
        var recipe = TrainingRecipe(
            epochs: 1, batchSize: 16, schedule: ConstantRate(peak: 1e-9), seed: seed)
        recipe.dropsPartialBatch = false
        let run = try TrainingRun(graph, training: data, recipe: recipe, hooks: [settings.makeHook(), spy])
        try run.train()
        return spy.steps
    }

    @Test(arguments: [UInt64(1), 2, 3]) func worstSamplesOfLinearClassifiersAreFound(seed: UInt64) throws {
        let (_, slopes, data) = try Self.linear(seed: seed)
        let clean = data.x.scalars(as: Float.self)
        let radius: Float = 0.1
        let steps = try Self.steps(AdversarialTraining(radius: Double(radius)), seed: seed)
        #expect(steps.map(\.samples.count) == [16, 16, 8])
        for step in steps {
            for (place, sample) in step.samples.enumerated() {
                for position in 0..<Self.size {
                    let raw = clean[sample * Self.size + position] * Self.deviation + Self.mean
                    // Class 0 errs where the other class's output grows.
                    let sign: Float = (slopes[position] > 0) == (sample % 2 == 0) ? 1 : -1
                    let worst = (min(max(raw + sign * radius, 0), 1) - Self.mean) / Self.deviation
                    #expect(abs(step.values[place * Self.size + position] - worst) < 1e-5, "seed \(seed)")
                }
            }
        }
    }

    /// With few steps samples need not be the worst, but they are always allowed, and the same for a seed.
    @Test(arguments: [1, 2], [0.02, 0.5]) func samplesStayWithinRadiusAndRange(
        count: Int, radius: Double
    ) throws {
        let (_, slopes, data) = try Self.linear(seed: 7)
        let clean = data.x.scalars(as: Float.self)
        let settings = AdversarialTraining(radius: radius, steps: count)
        let steps = try Self.steps(settings, seed: 7)
        var (changes, harm) = (Set<Float>(), Float(0))
        for step in steps {
            for (place, sample) in step.samples.enumerated() {
                for position in 0..<Self.size {
                    let value = step.values[place * Self.size + position] * Self.deviation + Self.mean
                    let change = value - (clean[sample * Self.size + position] * Self.deviation + Self.mean)
                    #expect(abs(change) <= Float(radius) + 1e-6)
                    #expect(value > -1e-6 && value < 1 + 1e-6)
                    changes.insert(change)
                    harm += change * slopes[position] * (sample % 2 == 0 ? 1 : -1)
                }
            }
        }
        #expect(harm > 0)
        // The start is random: one step does not lead all to the corners, where two do end.
        if count == 1 { #expect(changes.count > 100) }
        #expect(try Self.steps(settings, seed: 7).map(\.values) == steps.map(\.values))
    }

    @Test func labelsAreNeeded() throws {
        let (graph, _, data) = try Self.linear(seed: 1)
        let unlabelled = try Dataset(name: "points", inputs: data.inputs)
        var recipe = TrainingRecipe(epochs: 1, loss: Distillation())
        recipe.regularizations = [AdversarialTraining(radius: 0.1)]
        let run = try TrainingRun(graph, training: unlabelled, recipe: recipe, teacher: Teacher(graph))
        #expect(throws: TrainingError.self) { try run.train() }
    }

    /// What it is for: fewer samples of the test data are broken by an attack.
    @Test func attacksBreakLess() throws {
        let graph = try #require(Architectures.named("tiny-cnn")).graph(
            ArchitectureOptions(channels: 1, height: 8, width: 8, classCount: 10, seed: 3))
        let source = try DataSource("digits")
        let options = LoadOptions(preprocessing: source.defaultPreprocessing)
        let (fit, test) = (try source.load(.fit, options: options), try source.load(.test, options: options))
        func attacked(_ regularizations: [any Regularization]) throws -> Double {
            var recipe = TrainingRecipe(
                epochs: 4, optimizer: Adam(), schedule: OneCycle(peak: 0.005), seed: 1)
            recipe.regularizations = regularizations
            let run = try TrainingRun(graph, training: fit, recipe: recipe)
            try run.train()
            let network = try AttackedNetwork(run.trainedGraph(), dataset: test, lane: run.lane)
            return try ProjectedGradientDescent(norm: .maximum, steps: 20, restarts: 1, targets: 2)
                .accuracy(of: network, radius: 0.1)
        }
        let (plain, robust) = (try attacked([]), try attacked([AdversarialTraining(radius: 0.1, steps: 4)]))
        #expect(robust > plain + 0.1, "\(robust) and without \(plain)")
    }
}

struct SpectralPenaltyTests {
    private static func norms(_ graph: Graph) throws -> [Double] {
        try ResolvedGraph(graph).linearLayers().map { try OperatorNorm($0.map, effort: .tight).upper }
    }

    @Test func normsFallAndMasksHold() throws {
        let graph = try RobustFixtures.network(seed: 5)
        let data = try RobustFixtures.samples(60, seed: 5)
        let weight = try #require(graph.value(named: "conv2.weight")?.id)
        let mask = Mask(shape: [3, 6, 2, 2], kept: (0..<72).map { $0 % 3 != 0 })
        func trained(_ regularizations: [any Regularization]) throws -> Graph {
            let run = try TrainingRun(
                graph, training: data, recipe: RobustFixtures.recipe(regularizations, epochs: 10),
                masks: MaskSet([weight: mask]))
            try run.train()
            return try run.trainedGraph()
        }
        let (plain, penalized) = (try trained([]), try trained([SpectralPenalty(weight: 1)]))
        for (free, held) in zip(try Self.norms(plain), try Self.norms(penalized)) {
            #expect(held < 0.9 * free, "\(held) and without the penalty \(free)")
        }
        let values = try #require(penalized.constants[weight]).scalars(as: Float.self)
        #expect(zip(values, mask.kept).allSatisfy { $0 == 0 || $1 })
        #expect(values.contains { $0 != 0 })
    }

    @Test func networksWithoutLayersAreRefused() throws {
        var builder = GraphBuilder(name: "scale")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(120)]))
        let bias = builder.constant("b", Tensor(zeros: [120]))
        let sum = builder.node("Add", inputs: [x, bias])
        let graph = try builder.finish(outputs: [sum])
        let run = try TrainingRun(
            graph, training: RobustFixtures.samples(20, seed: 1),
            recipe: RobustFixtures.recipe([SpectralPenalty(weight: 1)]))
        #expect(throws: TrainingError.self) { try run.train() }
    }
}

/// Both together, with batch norm.
struct RobustCheckpointTests {
    private static func run(_ penalty: Double = 0.1, radius: Double = 0.1) throws -> TrainingRun {
        try TrainingRun(
            RobustFixtures.network(seed: 6), training: RobustFixtures.samples(60, seed: 6),
            validation: RobustFixtures.samples(20, seed: 7),
            recipe: RobustFixtures.recipe([
                SpectralPenalty(weight: penalty), AdversarialTraining(radius: radius, steps: 3),
            ]))
    }

    private static func bits(_ run: TrainingRun) -> [UInt32] { run.store.values.map(\.bitPattern) }

    @Test(arguments: [0, 1, 6]) func resumedRunsAreTheSameBitForBit(stop: Int) throws {
        let straight = try Self.run()
        try straight.train()
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "run.npz").path
        let first = try Self.run()
        let outcome = try first.train(
            checkpoints: CheckpointPolicy(path: path, everyEpochs: 100),
            isCancelled: { first.stepsDone == stop })
        #expect(outcome == .cancelled)
        let second = try Self.run()
        try second.resume(from: path)
        try second.train()
        #expect(Self.bits(second) == Self.bits(straight))
        #expect(second.history.map(\.trainingLoss) == straight.history.map(\.trainingLoss))
        // Other settings make another run.
        for other in [try Self.run(0.2), try Self.run(radius: 0.2)] {
            let error = #expect(throws: TrainingError.self) { try other.resume(from: path) }
            #expect(error?.description.contains("0.2") == true, "\(error?.description ?? "")")
        }
    }

    /// Statistics of batch norm learn from what is trained on, once a step, however many gradients the attack takes.
    @Test func statisticsLearnOnceAStep() throws {
        let graph = try RobustFixtures.network(seed: 8)
        let data = try RobustFixtures.samples(16, seed: 8)
        func mean(_ steps: Int?) throws -> [Float] {
            // So small a radius changes nothing to speak of.
            let settings = steps.map { AdversarialTraining(radius: 1e-7, steps: $0) }
            let run = try TrainingRun(
                graph, training: data, recipe: RobustFixtures.recipe(settings.map { [$0] } ?? [], epochs: 1))
            try run.train()
            let entry = try #require(run.store.state.first { $0.name == "norm1.running_mean" })
            return run.store.tensor(of: entry).scalars(as: Float.self)
        }
        let plain = try mean(nil)
        for steps in [1, 5] {
            for (one, other) in zip(try mean(steps), plain) { #expect(abs(one - other) < 1e-4) }
        }
    }
}
