import EspalierGraphs
import EspalierTensors
import EspalierTraining
import Testing

struct TeacherTests {
    /// Points as images of two rows, which may be mirrored and shifted.
    private func images(_ count: Int, seed: UInt64) throws -> Dataset {
        let points = try TrainingFixtures.blobs(count, seed: seed).x
        return try Dataset(
            name: "images", inputs: [.init(name: "x", values: points.reshaped(to: [count, 1, 2, 4]))])
    }

    /// Of a network like its teacher, and only of such a one, the outputs are the teacher's: for every sample, in every epoch's
    /// order, as it was changed.
    @Test(
        arguments: [Augmentation.none, Augmentation(largestShift: 1, flipsHorizontally: true)], [1 << 26, 0])
    func aTwinAgreesWithItsTeacher(augmentation: Augmentation, mostBytes: Int) throws {
        for (seed, isTwin) in [(UInt64(1), true), (UInt64(2), false)] {
            var recipe = TrainingFixtures.recipe(epochs: 3)
            recipe.schedule = ConstantRate(peak: 0)
            recipe.dropsPartialBatch = false
            recipe.augmentation = augmentation
            recipe.loss = Distillation(temperature: 1)
            let run = try TrainingRun(
                TrainingFixtures.network(seed: 1), training: images(75, seed: 5), recipe: recipe,
                teacher: Teacher(TrainingFixtures.network(seed: seed), mostBytes: mostBytes))
            #expect(try run.train() == .finished)
            #expect(run.history.count == 3)
            #expect(run.history.allSatisfy { ($0.trainingLoss < 1e-9) == isTwin })
        }
    }

    /// Batches of 32 of 75 samples: a run asks whether it is cancelled before each of its steps, and before each batch that its teacher
    /// sees.
    @Test func aDataSetIsSeenOnce() throws {
        let teacher = Teacher(try TrainingFixtures.network(seed: 2))
        func batchesSeen(_ dataset: Dataset, augmentation: Augmentation = .none) throws -> Int {
            var recipe = TrainingFixtures.recipe(epochs: 2)
            recipe.augmentation = augmentation
            recipe.loss = Distillation()
            let run = try TrainingRun(
                TrainingFixtures.network(), training: dataset, recipe: recipe, teacher: teacher)
            var questions = 0
            try run.train(isCancelled: {
                questions += 1
                return false
            })
            return questions - run.totalSteps
        }
        #expect(try batchesSeen(images(75, seed: 5)) == 3)
        #expect(try batchesSeen(images(75, seed: 5)) == 0)
        #expect(try batchesSeen(images(75, seed: 6)) == 3)
        #expect(try batchesSeen(images(75, seed: 7), augmentation: Augmentation(largestShift: 1)) == 0)
    }

    @Test func cancelledWhileTheTeacherIsAsked() throws {
        func run() throws -> TrainingRun {
            var recipe = TrainingFixtures.recipe(epochs: 2)
            recipe.loss = Distillation()
            return try TrainingRun(
                TrainingFixtures.network(), training: images(75, seed: 5), recipe: recipe,
                teacher: Teacher(TrainingFixtures.network(seed: 2)))
        }
        let straight = try run()
        try straight.train()
        try TrainingFixtures.withTemporaryFile { path in
            let first = try run()
            var questions = 0
            let outcome = try first.train(
                checkpoints: CheckpointPolicy(path: path),
                isCancelled: {
                    questions += 1
                    return questions == 2
                })
            #expect(outcome == .cancelled && questions == 2 && first.stepsDone == 0)
            let second = try run()
            try second.resume(from: path)
            #expect(try second.train() == .finished)
            let bits = TrainingFixtures.bits(try straight.currentGraph())
            #expect(try TrainingFixtures.bits(second.currentGraph()) == bits)
        }
    }
}
