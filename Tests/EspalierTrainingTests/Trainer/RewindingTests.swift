import EspalierGraphs
import EspalierTensors
import EspalierTraining
import Testing

/// Snapshots, beginning in the middle, and the watch on the validation loss.
struct RewindingTests {
    /// Without momentum nothing but parameters and position decides on what follows.
    private func recipe() -> TrainingRecipe {
        var recipe = TrainingFixtures.recipe(epochs: 4)
        recipe.optimizer = StochasticGradientDescent(momentum: 0)
        recipe.keepsBest = false
        return recipe
    }

    private func run(
        _ graph: Graph, validation: Dataset? = nil, hooks: [any StepHook] = []
    ) throws -> TrainingRun {
        try TrainingRun(
            graph, training: TrainingFixtures.blobs(200, seed: 1), validation: validation, recipe: recipe(),
            hooks: hooks)
    }

    @Test(arguments: [1, 5, 6, 7, 13, 24])
    func trainingFromASnapshotEndsAsTrainingDid(step: Int) throws {
        let snapshot = ParameterSnapshot(step: step)
        let whole = try run(TrainingFixtures.network(), hooks: [snapshot])
        #expect(whole.totalSteps == 24)
        try whole.train()
        let rewound = try run(snapshot.graph(whole))
        rewound.begin(at: step)
        try rewound.train()
        #expect(rewound.stepsDone == 24)
        #expect(
            try TrainingFixtures.bits(rewound.currentGraph()) == TrainingFixtures.bits(whole.currentGraph()))
        let fresh = try run(snapshot.graph(whole))
        try fresh.train()
        #expect(
            try TrainingFixtures.bits(fresh.currentGraph()) != TrainingFixtures.bits(whole.currentGraph()))
    }

    /// The watch agrees with an evaluation of each snapshot.
    @Test func theEarlyStopIsWhereTheLossIsLeast() throws {
        let validation = try TrainingFixtures.blobs(40, seed: 2)
        let watch = EarlyStoppingWatch(interval: 5)
        let snapshots = [5, 10, 15, 20, 24].map { (step: $0, hook: ParameterSnapshot(step: $0)) }
        let run = try run(
            TrainingFixtures.network(), validation: validation, hooks: snapshots.map(\.hook) + [watch])
        try run.train()
        var losses: [(step: Int, loss: Double)] = []
        for (step, hook) in snapshots {
            let graph = try hook.graph(run)
            losses.append((step, try Evaluator(graph, lane: run.lane).evaluate(validation).value.mean))
        }
        let least = try #require(losses.min { $0.loss < $1.loss })
        let best = try #require(watch.best)
        #expect(best.step == least.step && best.loss == least.loss)
        let hook = try #require(snapshots.first { $0.step == best.step }?.hook)
        #expect(
            try TrainingFixtures.bits(watch.bestGraph(run)) == TrainingFixtures.bits(hook.graph(run)))
    }

    @Test(arguments: [3, 6, 11, 20])
    func bothGoOnFromACheckpoint(stop: Int) throws {
        let validation = try TrainingFixtures.blobs(40, seed: 2)
        func run() throws -> (TrainingRun, EarlyStoppingWatch, ParameterSnapshot) {
            let (watch, snapshot) = (EarlyStoppingWatch(interval: 4), ParameterSnapshot(step: 10))
            let run = try self.run(
                TrainingFixtures.network(), validation: validation, hooks: [watch, snapshot])
            run.begin(at: 2)
            return (run, watch, snapshot)
        }
        let (straight, watch, snapshot) = try run()
        try straight.train()
        try TrainingFixtures.withTemporaryFile { path in
            let first = try run().0
            try first.train(
                checkpoints: CheckpointPolicy(path: path, everyEpochs: 100),
                isCancelled: { first.stepsDone == stop })
            let (second, otherWatch, otherSnapshot) = try run()
            try second.resume(from: path)
            try second.train()
            #expect(otherWatch.best == watch.best)
            #expect(
                try TrainingFixtures.bits(otherWatch.bestGraph(second))
                    == TrainingFixtures.bits(watch.bestGraph(straight)))
            #expect(
                try TrainingFixtures.bits(otherSnapshot.graph(second))
                    == TrainingFixtures.bits(snapshot.graph(straight)))
        }
    }
}
