import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// Pruning in the course of a linear regression whose large weights are the ones it does not need.
struct GradualPruningTests {
    /// y = 2 (x_4 + ... + x_7); the network begins with weights of 1 on the other four inputs and next to nothing on these.
    private func run(_ hooks: [any StepHook]) throws -> TrainingRun {
        var random = RandomSource(seed: 3)
        let samples = 64
        let inputs = (0..<(samples * 8)).map { _ in Float(random.normal()) }
        let targets = (0..<samples).map { sample in
            2 * inputs[(sample * 8 + 4)..<(sample * 8 + 8)].reduce(0, +)
        }
        let dataset = try Dataset(
            name: "line", inputs: [.init(name: "x", values: Tensor(shape: [samples, 8], scalars: inputs))],
            labels: .targets(Tensor(shape: [samples, 1], scalars: targets)))
        return try TrainingRun(
            try network(), training: dataset,
            recipe: TrainingRecipe(
                epochs: 60, batchSize: 16,
                optimizer: StochasticGradientDescent(momentum: 0.9, weightDecay: 0),
                schedule: ConstantRate(peak: 0.02), loss: MeanSquaredError(), seed: 4),
            hooks: hooks, lane: Lane(threads: 1))
    }

    private func network() throws -> Graph {
        var network = Network("line", dtype: .float32)
        let x = network.input("x", [.symbolic("N"), .fixed(8)])
        let weight = network.builder.constant(
            "weight", Tensor(shape: [8, 1], scalars: [1, 1, 1, 1, 0.01, 0.01, 0.01, 0.01] as [Float]))
        return try network.finish(network.builder.node("MatMul", inputs: [x, weight]))
    }

    private func pruning(regrowth: Double) throws -> GradualPruning {
        try GradualPruning(
            try Pruner(network(), inputShapes: [:]),
            request: PruningRequest(.element, targets: [.sparsity(0.5)]),
            schedule: PruningSchedule(.iterative(rounds: 10), end: 40), regrowth: regrowth)
    }

    private func weights(_ run: TrainingRun) throws -> [Float] {
        let graph = try run.currentGraph()
        return try #require(graph.value(named: "weight").flatMap { graph.constants[$0.id] })
            .scalars(as: Float.self)
    }

    @Test func whatWasDroppedByMistakeRegrows() throws {
        let (staying, regrowing) = (try run([pruning(regrowth: 0)]), try run([pruning(regrowth: 0.5)]))
        try staying.train()
        try regrowing.train()
        // Small weights went at once, among them some that are needed.
        #expect(try weights(staying)[4...].contains(0))
        #expect(try weights(regrowing)[..<4].allSatisfy { $0 == 0 })
        #expect(try weights(regrowing)[4...].allSatisfy { abs($0 - 2) < 0.01 })
    }

    @Test(arguments: [0, 0.5])
    func asManyAreZeroAsTheScheduleSays(regrowth: Double) throws {
        final class Witness: StepHook {
            let identity = "witness"
            var zeros: [Int] = []

            func didUpdate(_ run: TrainingRun) {
                zeros.append(run.masks.masks.values.reduce(0) { $0 + $1.shape.count - $1.keptCount })
            }
        }
        let (pruning, witness) = (try pruning(regrowth: regrowth), Witness())
        let run = try run([pruning, witness])
        try run.train()
        let schedule = PruningSchedule(.iterative(rounds: 10), end: 40)
        // A target is reached, not merely approached.
        let expected = (1...run.totalSteps).map {
            Int((8 * schedule.removedShare(at: $0, final: 0.5) - 1e-9).rounded(.up))
        }
        #expect(witness.zeros == expected)
        #expect(pruning.isSettled)
        #expect(try weights(run).count { $0 == 0 } == 4)
    }

    /// What comes back begins at zero: what a step has just dropped does not come back by the same step.
    @Test func whatWasJustDroppedDoesNotRegrow() throws {
        final class Witness: StepHook {
            let identity = "witness"
            var values: [Float] = []
            var kept: [Bool] = []

            func didUpdate(_ run: TrainingRun) {
                guard run.stepsDone == 4, let entry = run.store.entries.first else { return }
                values = run.store.values[entry.range].map(\.magnitude)
                kept = run.masks.masks.values.first?.kept ?? []
            }
        }
        let pruning = try GradualPruning(
            try Pruner(network(), inputShapes: [:]),
            request: PruningRequest(.element, targets: [.sparsity(0.5)]),
            schedule: PruningSchedule(.iterative(rounds: 2), begin: 4, end: 8), regrowth: 0.5)
        let (before, after) = (Witness(), Witness())
        try run([before, pruning, after]).train()
        // Nothing was masked before the first step of the schedule: the smallest weights go, and nothing comes for them.
        let gone = after.kept.indices.filter { !after.kept[$0] }
        #expect(gone.count == 3 && before.kept.isEmpty)
        let smallest = before.values.indices.sorted { before.values[$0] < before.values[$1] }.prefix(3)
        #expect(Set(gone) == Set(smallest))
    }

    @Test(arguments: [0, 0.5], [1, 4, 9, 39, 40, 41])
    func aResumedRunIsTheSameBitForBit(regrowth: Double, stop: Int) throws {
        let straight = try run([pruning(regrowth: regrowth)])
        try straight.train()
        let path = FileManager.default.temporaryDirectory.appending(path: "gradual-\(UUID().uuidString).npz")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try run([pruning(regrowth: regrowth)])
        try first.train(checkpoints: CheckpointPolicy(path: path), isCancelled: { first.stepsDone == stop })
        let second = try run([pruning(regrowth: regrowth)])
        try second.resume(from: path)
        try second.train()
        #expect(try weights(second).map(\.bitPattern) == weights(straight).map(\.bitPattern))
        #expect(second.masks == straight.masks)
        #expect(throws: TrainingError.self) { try run([pruning(regrowth: 0.25)]).resume(from: path) }
    }
}
