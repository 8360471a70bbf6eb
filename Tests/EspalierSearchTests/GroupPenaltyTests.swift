import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierSearch
import EspalierTensors
import EspalierTraining
import Testing

/// Units that are gone are gone: exactly zero, so that cutting them out changes nothing.
struct GroupPenaltyTests {
    private func run(
        _ network: SmallNetwork, seed: UInt64, epochs: Int, optimizer: any Optimizer, peak: Double,
        hooks: [any StepHook]
    ) throws -> TrainingRun {
        try TrainingRun(
            network.graph(seed: seed), training: SmallNetwork.samples(48, seed: seed),
            recipe: TrainingRecipe(
                epochs: epochs, batchSize: 16, optimizer: optimizer, schedule: CosineAnnealing(peak: peak),
                seed: seed),
            hooks: hooks, lane: Lane(threads: 1))
    }

    private static let optimizers: [(any Optimizer, Double)] = [
        (StochasticGradientDescent(momentum: 0.9), 0.03), (AdamW(weightDecay: 0.01), 0.02),
    ]

    @Test(arguments: SmallNetwork.allCases, [0, 1])
    func cuttingWhatIsGoneChangesNothing(network: SmallNetwork, which: Int) throws {
        let seed: UInt64 = 3
        let pruner = try Pruner(network.graph(seed: seed))
        let hook = try GroupPenalty(pruner, request: channelRequest(), cost: .parameters, lambda: 8)
        let (optimizer, peak) = Self.optimizers[which]
        let run = try run(network, seed: seed, epochs: 20, optimizer: optimizer, peak: peak, hooks: [hook])
        try run.train()
        let plan = hook.plan
        let dropped = try pruner.droppedUnits(of: plan)
        let gone = dropped.reduce(0) { $0 + $1.units.count }
        #expect(gone > 2 && gone < pruner.groups.open.reduce(0) { $0 + $1.size }, "\(gone) units")
        let trained = try run.currentGraph()
        let cut = try Pruner(trained).cut(plan)
        let found = try difference(cut, trained, on: SmallNetwork.samples(16, seed: 99))
        #expect(found.outputMagnitude > 0.01)
        #expect(found.isWithin(relative: 1e-12), "\(found)")

        // Of weights before a batch norm nothing is asked, and they are not zero.
        let entries = Dictionary(uniqueKeysWithValues: run.store.trainable.map { ($0.name, $0) })
        if network == .residual || network == .separable {
            let weight = try #require(entries["conv1.weight"])
            #expect(!run.store.values[weight.range].contains(0))
        }
    }

    /// After every step, with momentum that carries weights on and a budget that is met and missed in turns: what is said to be
    /// gone is zero.
    @Test(arguments: SmallNetwork.allCases, [0, 1])
    func whatIsGoneIsZeroAfterEveryStep(network: SmallNetwork, which: Int) throws {
        let seed: UInt64 = 5
        let pruner = try Pruner(network.graph(seed: seed))
        let request = channelRequest([.maxMultiplyAccumulates(0.4)])
        let hook = try GroupPenalty(pruner, request: request, cost: .multiplyAccumulates, lambda: nil)
        let witness = Witness()
        var (units, seen, wrong): ([CoupledUnits], Int, [Int]) = ([], 0, [])
        witness.onUpdated = { run in
            if units.isEmpty { units = try coupledUnits(pruner, request, run) }
            for (group, channels) in zip(units, hook.plan.channels?.filter { $0.refused == nil } ?? []) {
                for unit in channels.dropped {
                    seen += 1
                    let positions = group.slices[unit].flatMap(\.positions)
                    if !positions.allSatisfy({ run.store.values[$0] == 0 }) { wrong.append(run.stepsDone) }
                }
            }
        }
        let (optimizer, peak) = Self.optimizers[which]
        try run(
            network, seed: seed, epochs: 60, optimizer: optimizer, peak: peak, hooks: [hook, witness]
        ).train()
        #expect(seen > 100)
        #expect(wrong.isEmpty, "at steps \(wrong)")
    }

    /// However high the price, each group keeps its minimum.
    @Test(arguments: SmallNetwork.allCases, [1, 3])
    func theMinimumStays(network: SmallNetwork, minimum: Int) throws {
        let pruner = try Pruner(network.graph(seed: 1))
        let hook = try GroupPenalty(
            pruner, request: channelRequest(minimum: minimum), cost: .parameters, lambda: 1e4)
        let run = try run(
            network, seed: 1, epochs: 20, optimizer: StochasticGradientDescent(), peak: 0.01, hooks: [hook])
        try run.train()
        for channels in hook.plan.channels ?? [] where channels.refused == nil {
            #expect(channels.size - channels.dropped.count == minimum, "\(channels.group)")
        }
    }

    /// c_g in the state is the saving of one more unit at the widths of the epoch, over the typical norm at the beginning.
    @Test func chargesFollowTheWidths() throws {
        let network = SmallNetwork.chain
        let graph = try network.graph(seed: 2)
        let pruner = try Pruner(graph)
        let hook = try GroupPenalty(
            pruner, request: channelRequest(), cost: .multiplyAccumulates, lambda: 8)
        let run = try run(
            network, seed: 2, epochs: 12, optimizer: StochasticGradientDescent(), peak: 0.02, hooks: [hook])
        let units = try coupledUnits(pruner, channelRequest(), run)
        let norms = units.map { group -> Double in
            let squares = group.slices.map { slices in
                slices.flatMap(\.positions).reduce(0) { $0 + pow2(run.store.values[$1]) }
            }
            return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
        }
        try run.train()
        let dropped = hook.plan.channels?.filter { $0.refused == nil }.map(\.dropped) ?? []
        #expect(dropped.contains { !$0.isEmpty })
        let dense = pruner.cost(.multiplyAccumulates)
        func cost(_ gone: [Int]) throws -> Double {
            let cut = try pruner.cut(
                dropping: zip(units, gone).map { ($0.group, Array(0..<$1)) }.filter { !$0.1.isEmpty })
            return try Pruner(cut).cost(.multiplyAccumulates) / dense
        }
        let charges = try #require(hook.state["charges"]).scalars(as: Double.self)
        for place in units.indices {
            // A group of one unit has the price of its last but one: what is gone would come back for nothing otherwise.
            let now = zip(dropped, units).map { min($0.count, $1.group.size - 2) }
            var next = now
            next[place] += 1
            let saving = try cost(now) - cost(next)
            #expect(abs(charges[place] * norms[place] - saving) < 1e-6 * max(saving, 1e-6))
        }
    }

    private func pow2(_ value: Float) -> Double { Double(value) * Double(value) }
}
