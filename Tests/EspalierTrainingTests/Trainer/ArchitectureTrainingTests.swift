import EspalierExecution
import EspalierGraphs
import EspalierOperators
import EspalierTensors
import EspalierTraining
import Testing

/// The architectures as things that train.
struct ArchitectureTrainingTests {
    @Test(arguments: Architectures.all.map(\.name), Activation.allCases)
    func allTakeAStepOnFastKernels(name: String, activation: Activation) throws {
        let options = ArchitectureOptions(
            channels: 3, height: 28, width: 28, classCount: 7, activation: activation, widthMultiplier: 0.25)
        let graph = try #require(Architectures.named(name)).graph(options)
        let resolved = try ResolvedGraph(graph, dimensions: ["N": 4])
        #expect(resolved.opaque.isEmpty)
        #expect(resolved.facts[graph.outputs[0]]?.shape == [4, 7])
        let store = ParameterStore(resolved)
        let session = try TrainingSession(resolved, outputs: graph.outputs, parameters: store)
        let slow = session.listing.filter(\.isReference).map(\.label)
        #expect(slow.isEmpty, "these run by their reference: \(slow)")

        var random = RandomSource(seed: 1)
        let images = (0..<(4 * 3 * 28 * 28)).map { _ in Float(random.normal()) }
        let data = try Dataset(
            name: "noise",
            inputs: [.init(name: "x", values: Tensor(shape: [4, 3, 28, 28], scalars: images))],
            labels: .classes([0, 6, 3, 3], count: 7))
        var recipe = TrainingRecipe(epochs: 8, batchSize: 4, schedule: ConstantRate(peak: 0.01))
        recipe.optimizer = StochasticGradientDescent(momentum: 0.5)
        let run = try TrainingRun(graph, training: data, recipe: recipe)
        try run.train()
        let losses = run.history.map(\.trainingLoss)
        #expect(try #require(losses.last) < losses[0], "four samples can be learnt: \(losses)")
    }

    @Test func aSmallNetworkReadsTheBundledDigits() throws {
        let fit = try DataSource.digits.load(.fit)
        let validation = try DataSource.digits.load(.validation)
        let test = try DataSource.digits.load(.test)
        let options = ArchitectureOptions(channels: 1, height: 8, width: 8, classCount: 10)
        var recipe = TrainingRecipe(epochs: 15, batchSize: 32, schedule: OneCycle(peak: 0.005), seed: 1)
        recipe.optimizer = Adam()
        recipe.augmentation = Augmentation(largestShift: 1)
        let run = try TrainingRun(
            TinyCNN().graph(options), training: fit, validation: validation, recipe: recipe)
        try run.train()
        let evaluation = try Evaluator(try run.trainedGraph(), lane: run.lane).evaluate(test)
        // One of 360 test images is 0.28 points.
        #expect(try #require(evaluation.value.accuracy) >= 0.98)
    }
}
