import EspalierExecution
import EspalierKernels
import EspalierPruning
import EspalierSearch
import EspalierTensors
import EspalierTraining
import Testing

/// A run that was interrupted anywhere goes on bit for bit, in a new run with a new hook.
struct HookResumeTests {
    enum Kind: String, CaseIterable, Sendable {
        case groupsAtAPrice, groupsWithinABudget, elementsAtAPrice, elementsWithinABudget, gatesAtAPrice,
            gatesWithinABudget
    }

    /// A run, and how to tell what its hook found.
    private func run(_ kind: Kind) throws -> (run: TrainingRun, found: () throws -> (PrunePlan, PricePath)) {
        let graph = try SmallNetwork.separable.graph(seed: 1)
        let pruner = try Pruner(graph)
        let budget: [PruningTarget] = [.maxMultiplyAccumulates(0.4), .maxParameters(0.5)]
        func run(_ hook: any StepHook) throws -> TrainingRun {
            try TrainingRun(
                graph, training: SmallNetwork.samples(48, seed: 2),
                validation: SmallNetwork.samples(12, seed: 3),
                recipe: TrainingRecipe(
                    epochs: 10, batchSize: 16, optimizer: AdamW(weightDecay: 0.01),
                    schedule: CosineAnnealing(peak: 0.02), seed: 3),
                hooks: [hook], lane: Lane(threads: 1))
        }
        switch kind {
        case .groupsAtAPrice, .groupsWithinABudget:
            let isFree = kind == .groupsWithinABudget
            let hook = try GroupPenalty(
                pruner, request: channelRequest(isFree ? budget : []), cost: .multiplyAccumulates,
                lambda: isFree ? nil : 3)
            return (try run(hook), { (hook.plan, hook.path) })
        case .elementsAtAPrice, .elementsWithinABudget:
            let isFree = kind == .elementsWithinABudget
            let hook = try ElementPenalty(
                pruner, request: PruningRequest(.element, targets: isFree ? budget : []), cost: .parameters,
                lambda: isFree ? nil : 3)
            let made = try run(hook)
            return (made, { (try hook.plan(made), hook.path) })
        case .gatesAtAPrice, .gatesWithinABudget:
            let isFree = kind == .gatesWithinABudget
            let hook = try GatedUnits(
                pruner, request: channelRequest(isFree ? budget : []), cost: .multiplyAccumulates,
                lambda: isFree ? nil : 3, seed: 8)
            return (try run(hook), { (hook.plan, hook.path) })
        }
    }

    @Test(arguments: Kind.allCases, 1...3 as ClosedRange<UInt64>)
    func bitForBit(kind: Kind, seed: UInt64) throws {
        let straight = try run(kind)
        try straight.run.train()
        let expected = try straight.found()
        // The plan is worth comparing.
        let dropped = expected.0.channels?.contains { !$0.dropped.isEmpty }
        #expect((dropped ?? expected.0.elements?.contains { $0.mask != nil }) == true)
        var random = RandomSource(seed: seed)
        let stop = Int.random(in: 1..<straight.run.totalSteps, using: &random)
        try withTemporaryFile { path in
            let first = try run(kind)
            try first.run.train(
                checkpoints: CheckpointPolicy(path: path, everyEpochs: 100),
                isCancelled: { first.run.stepsDone == stop })
            let second = try run(kind)
            try second.run.resume(from: path)
            #expect(second.run.stepsDone == stop)
            try second.run.train()
            #expect(
                second.run.store.values.map(\.bitPattern) == straight.run.store.values.map(\.bitPattern),
                "stopped at \(stop)")
            let found = try second.found()
            #expect(found.0 == expected.0 && found.1 == expected.1, "stopped at \(stop)")
            #expect(second.run.history.map(\.validationLoss) == straight.run.history.map(\.validationLoss))
        }
    }

    /// A checkpoint of another penalty is refused, and so is one whose state is not that of these units.
    @Test func anotherHooksStateIsRefused() throws {
        try withTemporaryFile { path in
            let first = try run(.groupsAtAPrice)
            try first.run.train(
                checkpoints: CheckpointPolicy(path: path), isCancelled: { first.run.stepsDone == 4 })
            for kind in Kind.allCases where kind != .groupsAtAPrice {
                #expect(throws: TrainingError.self) { try run(kind).run.resume(from: path) }
            }
        }
        let pruner = try Pruner(SmallNetwork.separable.graph(seed: 1))
        let groups = try GroupPenalty(pruner, request: channelRequest(), cost: .parameters, lambda: 1)
        let elements = try ElementPenalty(
            pruner, request: PruningRequest(.element, targets: []), cost: .parameters, lambda: 1)
        let gates = try GatedUnits(pruner, request: channelRequest(), cost: .parameters, lambda: 1, seed: 1)
        for hook in [groups, elements, gates] as [any StepHook] {
            #expect(throws: TrainingError.self) { try hook.restore([:]) }
            #expect(throws: TrainingError.self) {
                try hook.restore(hook.state.mapValues { _ in Tensor(shape: [1], scalars: [1.0]) })
            }
        }
    }
}
