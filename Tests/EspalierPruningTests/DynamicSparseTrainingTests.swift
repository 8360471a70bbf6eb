import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

struct DynamicSparseTrainingTests {
    private static let interval = 7
    private static let share = 0.4
    private static let sparsity = 0.7

    private func hook(_ growth: Regrowth.Growth, seed: UInt64 = 1) throws -> DynamicSparseTraining {
        try DynamicSparseTraining(
            try Pruner(Network.perceptron([8, 12, 10, 3], dtype: .float32)),
            request: PruningRequest(.element, targets: [.sparsity(Self.sparsity)]),
            longestInterval: Self.interval,
            share: Self.share, growth: growth, seed: seed)
    }

    private func run(
        _ hooks: [any StepHook], optimizer: any Optimizer = StochasticGradientDescent()
    ) throws -> TrainingRun {
        var random = RandomSource(seed: 2)
        let count = 96
        let labels = (0..<count).map { Int32($0 % 3) }
        let values = labels.flatMap { label in
            (0..<8).map { Float(($0 % 3 == Int(label) ? 1 : 0) + random.normal()) }
        }
        return try TrainingRun(
            Network.perceptron([8, 12, 10, 3], dtype: .float32),
            training: Dataset(
                name: "blobs",
                inputs: [.init(name: "x", values: Tensor(shape: [count, 8], scalars: values))],
                labels: .classes(labels, count: 3)),
            recipe: TrainingRecipe(
                epochs: 20, batchSize: 16, optimizer: optimizer, schedule: CosineAnnealing(peak: 0.05),
                seed: 3),
            hooks: hooks, lane: Lane(threads: 1))
    }

    /// Looks at a run before and after what another hook does in a step.
    private final class Witness: StepHook {
        let identity = "witness"
        var onUpdate: (TrainingRun) throws -> Void = { _ in }
        var onUpdated: (TrainingRun) throws -> Void = { _ in }

        func willUpdate(_ run: TrainingRun) throws { try onUpdate(run) }
        func didUpdate(_ run: TrainingRun) throws { try onUpdated(run) }
    }

    private static let growths: [Regrowth.Growth] = [.gradient, .random]

    /// Every exchange, told from the outside: which weights went, which came, how many, and when.
    @Test(arguments: growths)
    func exchangesAreThoseOfTheMethod(growth: Regrowth.Growth) throws {
        let hook = try hook(growth)
        let (before, after) = (Witness(), Witness())
        var sums: [Float] = []
        var (values, masks): ([Float], MaskSet) = ([], MaskSet())
        var exchanges: [Int] = []
        var wrong: [String] = []
        func check(_ isRight: Bool, _ what: String, _ name: String, _ step: Int) {
            if !isRight { wrong.append("\(what): \(name) at step \(step)") }
        }
        before.onUpdate = { run in
            let gradients = run.store.gradients
            if sums.isEmpty { sums = [Float](repeating: 0, count: gradients.count) }
            for place in sums.indices { sums[place] += gradients[place] }
        }
        before.onUpdated = { run in
            values = Array(run.store.values)
            masks = run.masks
        }
        after.onUpdated = { run in
            let (step, end) = (run.stepsDone, 0.75 * Double(run.totalSteps))
            for entry in run.store.entries where run.masks[entry.value] != nil {
                let (was, now) = (
                    try #require(masks[entry.value]).kept, try #require(run.masks[entry.value]).kept
                )
                check(now.count { $0 } == was.count { $0 }, "the number kept", entry.name, step)
                // What is dropped is exactly zero.
                let weights = run.store.values[entry.range]
                check(zip(weights, now).allSatisfy { $1 || $0 == 0 }, "zeros", entry.name, step)
                let gone = Set(was.indices.filter { was[$0] && !now[$0] })
                let grown = Set(was.indices.filter { !was[$0] && now[$0] })
                guard Double(step) < end, step.isMultiple(of: Self.interval) else {
                    check(gone.isEmpty && grown.isEmpty, "not now", entry.name, step)
                    continue
                }
                let share = Self.share * (1 + cos(.pi * Double(step) / end)) / 2
                let kept = was.count { $0 }
                let count = min(Int((share * Double(kept)).rounded()), was.count - kept)
                check(gone.count == count && grown.count == count, "how many", entry.name, step)
                // No weight that stays is smaller than one that went.
                func size(_ place: Int) -> Float { abs(values[entry.offset + place]) }
                let largestGone = gone.map(size).max() ?? 0
                check(
                    was.indices.allSatisfy { !was[$0] || gone.contains($0) || size($0) >= largestGone },
                    "the smallest go", entry.name, step)
                // What comes begins at zero.
                check(
                    grown.allSatisfy { run.store.values[entry.offset + $0] == 0 }, "from zero", entry.name,
                    step)
                if growth == .gradient {
                    func force(_ place: Int) -> Float { abs(sums[entry.offset + place]) }
                    let least = grown.map(force).min() ?? .infinity
                    check(
                        was.indices.allSatisfy { was[$0] || grown.contains($0) || force($0) <= least },
                        "the largest gradients grow", entry.name, step)
                }
            }
            check(hook.isSettled == (Double(step) >= end), "settled", "all", step)
            if Double(step) < end, step.isMultiple(of: Self.interval) {
                exchanges.append(step)
                sums = []
            }
        }
        let run = try run([before, hook, after])
        try run.train()
        #expect(wrong.isEmpty)
        #expect(exchanges == Array(stride(from: Self.interval, to: 90, by: Self.interval)))
        // The plan tells the masks, and reaches the target.
        let pruner = try Pruner(Network.perceptron([8, 12, 10, 3], dtype: .float32))
        #expect(try pruner.masks(of: try #require(hook.plan)) == run.masks)
        let total = run.masks.masks.values.reduce(0) { $0 + $1.shape.count }
        let kept = run.masks.masks.values.reduce(0) { $0 + $1.keptCount }
        #expect(abs(Double(kept) / Double(total) - (1 - Self.sparsity)) < 0.01)
    }

    /// Random growth is that of its seed, and has nothing to do with gradients; growth by gradients has no randomness.
    @Test func growthIsSeeded() throws {
        func masks(_ growth: Regrowth.Growth, seed: UInt64) throws -> MaskSet {
            let run = try run([hook(growth, seed: seed)])
            try run.train()
            return run.masks
        }
        #expect(try masks(.random, seed: 1) == masks(.random, seed: 1))
        #expect(try masks(.random, seed: 1) != masks(.random, seed: 2))
        #expect(try masks(.gradient, seed: 1) == masks(.gradient, seed: 2))
        #expect(try masks(.gradient, seed: 1) != masks(.random, seed: 1))
    }

    /// Of many exchanges every dropped weight comes back about equally often.
    @Test func randomGrowthFavoursNothing() throws {
        let runs = 60
        let weight = try #require(
            Network.perceptron([8, 12, 10, 3], dtype: .float32).value(named: "fc1.weight")?.id)
        var counts = [Int](repeating: 0, count: 96)
        var first: [Bool] = []
        for seed in 0..<UInt64(runs) {
            let run = try run([hook(.random, seed: seed)])
            try run.train(
                isCancelled: {
                    // Up to the first exchange all seeds train alike.
                    if run.stepsDone == Self.interval - 1 { first = run.masks[weight]?.kept ?? [] }
                    return run.stepsDone == Self.interval
                })
            let now = try #require(run.masks[weight]).kept
            for place in now.indices where now[place] && !first[place] { counts[place] += 1 }
        }
        let dropped = first.indices.filter { !first[$0] }
        let mean = Double(counts.reduce(0, +)) / Double(dropped.count)
        // Chi squared, with one degree of freedom less than there are weights, within five standard deviations.
        let statistic = dropped.reduce(0) { sum, place in
            let distance = Double(counts[place]) - mean
            return sum + distance * distance / (mean * (1 - mean / Double(runs)))
        }
        let freedom = Double(dropped.count - 1)
        #expect(abs(statistic - freedom) < 5 * (2 * freedom).squareRoot(), "\(statistic)")
    }

    @Test(arguments: growths, 1...5 as ClosedRange<UInt64>)
    func aResumedRunIsTheSameBitForBit(growth: Regrowth.Growth, seed: UInt64) throws {
        let whole = try hook(growth)
        let straight = try run([whole], optimizer: AdamW())
        try straight.train()
        var random = RandomSource(seed: seed)
        // The last time when places stay as they are.
        let range = seed == 5 ? 90..<straight.totalSteps : 1..<90
        let stop = Int.random(in: range, using: &random)
        let path = FileManager.default.temporaryDirectory.appending(path: "dynamic-\(UUID().uuidString).npz")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try run([hook(growth)], optimizer: AdamW())
        try first.train(
            checkpoints: CheckpointPolicy(path: path, everyEpochs: 100),
            isCancelled: { first.stepsDone == stop })
        let resumed = try hook(growth)
        let second = try run([resumed], optimizer: AdamW())
        try second.resume(from: path)
        try second.train()
        #expect(
            second.store.values.map(\.bitPattern) == straight.store.values.map(\.bitPattern),
            "stopped at \(stop)")
        #expect(second.masks == straight.masks && resumed.plan == whole.plan, "stopped at \(stop)")
        #expect(resumed.isSettled)
        // Another method's checkpoint is another run's.
        let other = try run([hook(growth == .random ? .gradient : .random)], optimizer: AdamW())
        #expect(throws: TrainingError.self) { try other.resume(from: path) }
    }

    @Test func whatMakesNoSenseIsRefused() throws {
        let pruner = try Pruner(Network.chain(dtype: .float32))
        func make(_ granularity: Granularity, longestInterval: Int = 10, share: Double = 0.3) throws {
            _ = try DynamicSparseTraining(
                pruner, request: PruningRequest(granularity, targets: [.sparsity(0.5)]),
                longestInterval: longestInterval,
                share: share, growth: .random, seed: 1)
        }
        #expect(throws: Never.self) { try make(.element) }
        for granularity in Granularity.examples where granularity != .element {
            #expect(throws: PruningError.self) { try make(granularity) }
        }
        #expect(throws: PruningError.self) { try make(.element, longestInterval: 0) }
        for share in [0, 1, -0.1, Double.nan] {
            #expect(throws: PruningError.self) { try make(.element, share: share) }
        }
    }
}
