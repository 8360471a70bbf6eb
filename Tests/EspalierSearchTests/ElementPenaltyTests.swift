import EspalierExecution
import EspalierKernels
import EspalierPruning
import EspalierSearch
import EspalierTensors
import EspalierTraining
import Testing

struct ElementPenaltyTests {
    private static let optimizers: [any Optimizer] = [
        StochasticGradientDescent(momentum: 0), StochasticGradientDescent(momentum: 0.9), AdamW(),
    ]

    private func run(
        _ hooks: [any StepHook], optimizer: any Optimizer = StochasticGradientDescent(), epochs: Int = 10
    ) throws -> TrainingRun {
        try TrainingRun(
            SmallNetwork.chain.graph(seed: 1), training: SmallNetwork.samples(48, seed: 1),
            recipe: TrainingRecipe(
                epochs: epochs, batchSize: 16, optimizer: optimizer, schedule: CosineAnnealing(peak: 0.01),
                seed: 1),
            hooks: hooks, lane: Lane(threads: 1))
    }

    /// However high the price, no layer is taken away whole.
    @Test(arguments: optimizers.indices, [MinimumKept(), MinimumKept(count: 5, fraction: 0.1)])
    func theMinimumStays(which: Int, minimum: MinimumKept) throws {
        let pruner = try Pruner(SmallNetwork.chain.graph(seed: 1))
        let request = PruningRequest(.element, targets: [], minimumKept: minimum)
        let hook = try ElementPenalty(pruner, request: request, cost: .parameters, lambda: 1e5)
        let run = try run([hook], optimizer: Self.optimizers[which])
        try run.train()
        for entry in try #require(hook.plan(run).elements) {
            let size = Shape(entry.shape).count
            #expect(entry.kept == minimum.kept(of: size), "\(entry.parameter) of \(size)")
        }
    }

    /// Only weights that may go are charged for: biases and layers left alone learn as without a price, but for what the others'
    /// zeros change.
    @Test func whatMayNotGoIsNotCharged() throws {
        let pruner = try Pruner(SmallNetwork.chain.graph(seed: 1))
        let request = PruningRequest(.element, targets: [], keep: [NamePattern("conv2")])
        let hook = try ElementPenalty(pruner, request: request, cost: .multiplyAccumulates, lambda: 1e3)
        let (before, after) = (Witness(), Witness())
        var (updated, penalized): ([Float], [Float]) = ([], [])
        before.onUpdated = { if $0.stepsDone == 1 { updated = Array($0.store.values) } }
        after.onUpdated = { if $0.stepsDone == 1 { penalized = Array($0.store.values) } }
        let run = try run([before, hook, after], epochs: 1)
        try run.train()
        for entry in run.store.trainable {
            let charged = ["conv1.weight", "fc1.weight", "fc.weight"].contains(entry.name)
            #expect((updated[entry.range] == penalized[entry.range]) == !charged, "\(entry.name)")
        }
    }
}
