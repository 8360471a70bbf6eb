import EspalierGraphs
import EspalierTensors
import EspalierTraining
import Testing

struct TrainingRunTests {
    @Test(arguments: Optimizers.all.map { $0.name }, LearningRates.all.map { $0.name })
    func everyOptimizerAndScheduleLearns(optimizer: String, schedule: String) throws {
        let type = try #require(Optimizers.named(optimizer))
        var recipe = TrainingFixtures.recipe(epochs: 6)
        recipe.optimizer = type.init(weightDecay: 1e-4)
        recipe.schedule = try #require(LearningRates.named(schedule)).init(peak: 4 * type.usualLearningRate)
        let run = try TrainingRun(
            TrainingFixtures.network(), training: TrainingFixtures.blobs(600, seed: 1),
            validation: TrainingFixtures.blobs(300, seed: 2), recipe: recipe)
        #expect(try run.train() == .finished)
        #expect(run.history.count == 6 && run.stepsDone == run.totalSteps)
        let first = try #require(run.history.first)
        let last = try #require(run.history.last)
        #expect(last.trainingLoss < first.trainingLoss)
        #expect(try #require(last.validationAccuracy) > 0.9)
    }

    @Test(arguments: [1, 2])
    func theSameSeedGivesTheSameBits(threads: Int) throws {
        func train(seed: UInt64) throws -> [String: [UInt32]] {
            var recipe = TrainingFixtures.recipe(epochs: 2)
            recipe.seed = seed
            recipe.threads = threads
            let run = try TrainingRun(
                TrainingFixtures.network(hidden: 64), training: TrainingFixtures.blobs(200, seed: 1),
                recipe: recipe)
            try run.train()
            return TrainingFixtures.bits(try run.trainedGraph())
        }
        let once = try train(seed: 5)
        #expect(try train(seed: 5) == once)
        #expect(try train(seed: 6) != once)
    }

    @Test func masksHoldAndAreTold() throws {
        let graph = try TrainingFixtures.network()
        let weight = try #require(graph.value(named: "fc1.weight")?.id)
        let shape: Shape = [16, 8]
        let mask = Mask(shape: shape, kept: (0..<128).map { $0 % 4 == 0 })
        var recipe = TrainingFixtures.recipe()
        recipe.optimizer = StochasticGradientDescent(momentum: 0.9, weightDecay: 0.01)
        recipe.maximumGradientNorm = 1
        let run = try TrainingRun(
            graph, training: TrainingFixtures.blobs(300, seed: 1), recipe: recipe,
            masks: MaskSet([weight: mask]))
        try run.train()
        let trained = try run.trainedGraph()
        let tensor = try #require(trained.constants[weight])
        #expect(Mask(nonzeroOf: tensor) == mask)
        #expect(run.history.allSatisfy { $0.sparsity == 0.75 && $0.gradientNorm != nil })
        let before = try #require(graph.constants[weight]).scalars(as: Float.self)
        #expect(
            zip(before, tensor.scalars(as: Float.self)).contains { $0 != $1 && $1 != 0 }, "the others train")
    }

    @Test func masksForNothingAreRefused() throws {
        let graph = try TrainingFixtures.network()
        let weight = try #require(graph.value(named: "fc1.weight")?.id)
        #expect(throws: TrainingError.self) {
            try TrainingRun(
                graph, training: TrainingFixtures.blobs(60, seed: 1), recipe: TrainingFixtures.recipe(),
                masks: MaskSet([weight: Mask(keepingAll: [2, 2])]))
        }
    }

    @Test func hooksAreCalledInOrderAndMayPrune() throws {
        let graph = try TrainingFixtures.network()
        let weight = try #require(graph.value(named: "fc2.weight")?.id)
        let hook = RecordingHook()
        hook.isSettled = false
        let mask = Mask(shape: [3, 16], kept: (0..<48).map { $0 % 2 == 0 })
        hook.action = { call, run in
            guard call == "did", run.stepsDone == 4 else { return }
            try run.setMasks(MaskSet([weight: mask]))
            hook.isSettled = true
        }
        let data = try TrainingFixtures.blobs(96, seed: 1)
        let run = try TrainingRun(
            graph, training: data, validation: data, recipe: TrainingFixtures.recipe(epochs: 2), hooks: [hook]
        )
        try run.train()
        let step = ["will", "did"]
        #expect(hook.calls == ["begin"] + step + step + step + ["epoch"] + step + step + step + ["epoch"])
        #expect(run.bestEpoch == 1, "an epoch before the network has its final form is not the best")
        #expect(run.history.map(\.isBest) == [false, true])
        let trained = try run.trainedGraph()
        #expect(try Mask(nonzeroOf: #require(trained.constants[weight])) == mask)
    }

    /// Is validated as a network of `value` alone in its first epoch.
    private final class Spoiler: StepHook {
        let identity = "spoiler"
        private let value: Float

        init(value: Float) { self.value = value }

        func evaluated(_ graph: Graph, in run: TrainingRun) throws -> Graph {
            guard run.stepsDone <= run.stepsPerEpoch else { return graph }
            var patch = Patch(for: graph)
            for id in graph.parameters {
                guard let shape = graph.constants[id]?.shape else { continue }
                let values = [Float](repeating: value, count: shape.count)
                patch.append(.setConstant(id, Tensor(shape: shape, scalars: values)))
            }
            return try graph.applying(patch)
        }
    }

    @Test(arguments: [Float.nan, .infinity])
    func aResultThatIsNoNumberIsNeverTheBest(value: Float) throws {
        let data = try TrainingFixtures.blobs(96, seed: 1)
        func run(_ hooks: [any StepHook]) throws -> TrainingRun {
            try TrainingRun(
                TrainingFixtures.network(), training: data, validation: data,
                recipe: TrainingFixtures.recipe(epochs: 3), hooks: hooks)
        }
        let watch = EarlyStoppingWatch(interval: 1)
        let spoiled = try run([Spoiler(value: value), watch])
        try TrainingFixtures.withTemporaryFile { path in
            try spoiled.train(
                checkpoints: CheckpointPolicy(path: path), isCancelled: { spoiled.stepsDone == 4 })
            #expect(spoiled.history[0].validationLoss?.isFinite == false)
            let resumed = try run([Spoiler(value: value), EarlyStoppingWatch(interval: 1)])
            try resumed.resume(from: path)
            #expect(resumed.stepsDone == 4)
            #expect(resumed.history[0].validationLoss?.isFinite == false)
        }
        try spoiled.train()
        #expect(try #require(spoiled.bestEpoch) > 0)
        #expect(try #require(watch.best).loss.isFinite)
    }

    @Test func theBestEpochIsKeptAndPatienceEnds() throws {
        var recipe = TrainingFixtures.recipe(epochs: 30)
        // So high a rate that accuracy jumps about.
        recipe.schedule = ConstantRate(peak: 0.5)
        recipe.patience = 3
        let validation = try TrainingFixtures.blobs(200, seed: 2)
        let run = try TrainingRun(
            TrainingFixtures.network(), training: TrainingFixtures.blobs(200, seed: 1),
            validation: validation, recipe: recipe)
        let outcome = try run.train()
        let best = try #require(run.bestEpoch)
        #expect(outcome == .stoppedEarly ? run.history.count == best + 4 : run.history.count == 30)
        let accuracies = run.history.compactMap(\.validationAccuracy)
        #expect(accuracies[best] == accuracies.max())
        let evaluator = try Evaluator(try run.trainedGraph(), lane: run.lane)
        #expect(try evaluator.evaluate(validation).value.accuracy == accuracies[best])
    }

    @Test func divergenceIsReported() throws {
        var recipe = TrainingFixtures.recipe()
        recipe.schedule = ConstantRate(peak: 1e30)
        let run = try TrainingRun(
            TrainingFixtures.network(), training: TrainingFixtures.blobs(300, seed: 1), recipe: recipe)
        let error = #expect(throws: TrainingError.self) { try run.train() }
        guard case .diverged(epoch: 0, let step)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(step > 0)
    }

    @Test func distillationTeachesWithoutLabels() throws {
        let labelled = try TrainingFixtures.blobs(600, seed: 1)
        let test = try TrainingFixtures.blobs(300, seed: 3)
        let teacherRun = try TrainingRun(
            TrainingFixtures.network(), training: labelled, recipe: TrainingFixtures.recipe(epochs: 8))
        try teacherRun.train()
        let teacher = try teacherRun.trainedGraph()

        var recipe = TrainingFixtures.recipe(epochs: 8)
        recipe.loss = Distillation(temperature: 2)
        let unlabelled = try TrainingFixtures.blobs(600, seed: 4, labelled: false)
        let run = try TrainingRun(
            TrainingFixtures.network(seed: 9, hidden: 8), training: unlabelled,
            validation: TrainingFixtures.blobs(100, seed: 5, labelled: false), recipe: recipe,
            teacher: Teacher(teacher))
        try run.train()
        #expect(run.history.allSatisfy { $0.trainingAccuracy == nil && $0.validationLoss != nil })
        let student = try Evaluator(try run.trainedGraph(), lane: run.lane).evaluate(test)
        let reference = try Evaluator(teacher, lane: run.lane).evaluate(test)
        #expect(try #require(student.value.accuracy) > 0.9)
        let agreements = zip(student.predictions, reference.predictions).count { $0 == $1 }
        #expect(agreements > 280)
    }

    @Test func observersSeeEveryStep() throws {
        let run = try TrainingRun(
            TrainingFixtures.network(), training: TrainingFixtures.blobs(100, seed: 1),
            recipe: TrainingFixtures.recipe(epochs: 2))
        var steps: [Int] = []
        var epochs = 0
        try run.train(observer: { event in
            switch event {
            case .step(let done, let total, _, let loss):
                steps.append(done)
                #expect(total == 6 && loss.isFinite)
            case .epoch: epochs += 1
            }
        })
        #expect(steps == Array(1...6) && epochs == 2)
    }

    @Test func partialBatchesAreUsedWhenAskedFor() throws {
        var recipe = TrainingFixtures.recipe(epochs: 1)
        recipe.dropsPartialBatch = false
        let run = try TrainingRun(
            TrainingFixtures.network(), training: TrainingFixtures.blobs(100, seed: 1), recipe: recipe)
        try run.train()
        #expect(run.stepsPerEpoch == 4 && run.stepsDone == 4)
        recipe.batchSize = 1000
        let small = try TrainingRun(
            TrainingFixtures.network(), training: TrainingFixtures.blobs(100, seed: 1), recipe: recipe)
        #expect(small.stepsPerEpoch == 1)
    }

    @Test func whatDoesNotFitIsRefusedBeforeTraining() throws {
        let graph = try TrainingFixtures.network()
        let recipe = TrainingFixtures.recipe()
        let wide = try Dataset(
            name: "wide", inputs: [.init(name: "x", values: Tensor(zeros: [4, 9]))],
            labels: .classes([0, 1, 2, 0], count: 3))
        let error = #expect(throws: TrainingError.self) {
            try TrainingRun(graph, training: wide, recipe: recipe)
        }
        #expect(error?.description.contains("8") == true && error?.description.contains("9") == true)
        let many = try Dataset(
            name: "many", inputs: [.init(name: "x", values: Tensor(zeros: [4, 8]))],
            labels: .classes([0, 1, 2, 5], count: 6))
        #expect(throws: TrainingError.self) { try TrainingRun(graph, training: many, recipe: recipe) }
        // An image of as many pixels as the network has inputs fits.
        let image = try Dataset(
            name: "image", inputs: [.init(name: "pixels", values: Tensor(zeros: [4, 1, 2, 4]))],
            labels: .classes([0, 1, 2, 0], count: 3))
        #expect(throws: Never.self) { try TrainingRun(graph, training: image, recipe: recipe) }
    }

    /// What a recipe trains under sees the weights that other hooks put in place for a step, and gradients by these before they do.
    @Test func regularizationsStandBetweenHooksAndPasses() throws {
        final class Log: @unchecked Sendable { var calls: [String] = [] }
        final class Named: StepHook {
            let (identity, log): (String, Log)
            init(_ name: String, _ log: Log) { (identity, self.log) = (name, log) }
            func willCompute(_ run: TrainingRun) { log.calls.append("compute \(identity)") }
            func willUpdate(_ run: TrainingRun) { log.calls.append("update \(identity)") }
        }
        struct Rule: Regularization {
            let identity = "rule"
            let log: Log
            func makeHook() -> any StepHook { Named(identity, log) }
        }
        let log = Log()
        var recipe = TrainingFixtures.recipe(epochs: 1)
        let plain = recipe.identity
        recipe.regularizations = [Rule(log: log)]
        #expect(recipe.identity != plain)
        let run = try TrainingRun(
            TrainingFixtures.network(), training: TrainingFixtures.blobs(32, seed: 1), recipe: recipe,
            hooks: [Named("a", log), Named("b", log)])
        try run.train()
        #expect(
            log.calls == [
                "compute a", "compute b", "compute rule", "update rule", "update a", "update b",
            ])
    }
}
