import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierSearch
import EspalierTensors
import EspalierTraining
import Testing

/// Training on digits with a price that is to meet budgets.
struct BudgetTrainingTests {
    private static let digits = try? DataSource.digits.load(.fit).selecting(Array(0..<512))

    private func run(_ graph: Graph, seed: UInt64, epochs: Int, hooks: [any StepHook]) throws -> TrainingRun {
        try TrainingRun(
            graph, training: try #require(Self.digits),
            recipe: TrainingRecipe(
                epochs: epochs, batchSize: 32, schedule: CosineAnnealing(peak: 0.02), seed: seed),
            hooks: hooks, lane: Lane(threads: 1))
    }

    struct Budget: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let targets: [PruningTarget]
        let charged: CostFunction

        static let all = [
            Budget(
                testDescription: "macs", targets: [.maxMultiplyAccumulates(0.35)],
                charged: .multiplyAccumulates),
            Budget(testDescription: "parameters", targets: [.maxParameters(0.4)], charged: .parameters),
            Budget(
                testDescription: "both", targets: [.maxMultiplyAccumulates(0.5), .maxParameters(0.4)],
                charged: .parameters),
        ]

        var shares: [(cost: CostFunction, share: Double)] {
            targets.compactMap { if case .maximum(let cost, let share) = $0 { (cost, share) } else { nil } }
        }
    }

    /// What one more unit of some group would cost at most.
    private func largestUnit(_ costs: WidthCosts, _ gone: [Int]) -> Double {
        let now = costs.cost(gone: gone)
        return gone.indices.filter { gone[$0] > 0 }.map { place in
            var wider = gone
            wider[place] -= 1
            return costs.cost(gone: wider) - now
        }.max() ?? 0
    }

    /// The cost comes to within one unit, or one percent, of the budget, and at no time is more than one unit below its path.
    @Test(arguments: [SmallNetwork.chain, .residual, .separable], Budget.all)
    func groups(network: SmallNetwork, budget: Budget) throws {
        let graph = try network.graph(seed: 1, size: 8, classes: 10)
        let pruner = try Pruner(graph)
        let request = channelRequest(budget.targets, minimum: 2)
        let hook = try GroupPenalty(pruner, request: request, cost: budget.charged, lambda: nil)
        let open = try pruner.openGroups(for: request)
        let costs = budget.shares.map { WidthCosts($0.cost, pruner, groups: open.map(\.group)) }
        /// How far above its path, or below, the cost is that is highest above it; and what a unit makes of that.
        func excess(_ gone: [Int], progress: Double) -> (distance: Double, unit: Double) {
            let distance =
                zip(costs, budget.shares).map {
                    $0.cost(gone: gone) - PricePathTests.path($1.share, progress: progress)
                }.max() ?? 0
            return (distance, costs.map { largestUnit($0, gone) }.max() ?? 0)
        }
        let witness = Witness()
        var lowest = Double.infinity
        func gone() -> [Int] {
            let plan = hook.plan.channels ?? []
            return open.map { entry in plan.first { $0.group == entry.group.id }?.dropped.count ?? 0 }
        }
        witness.onUpdated = { run in
            let progress = Double(run.stepsDone) / Double(run.totalSteps)
            let (distance, unit) = excess(gone(), progress: progress)
            lowest = min(lowest, distance + unit)
        }
        let run = try run(graph, seed: 2, epochs: 10, hooks: [hook, witness])
        try run.train()
        #expect(lowest > -1e-9)
        let (distance, unit) = excess(gone(), progress: 1)
        #expect(distance <= max(0.01, unit) && distance >= -unit, "\(distance), a unit is \(unit)")
        // It is the true cost.
        let cut = try Pruner(pruner.cut(hook.plan))
        for (costs, function) in zip(costs, budget.shares.map(\.cost)) {
            let share = cut.cost(function) / pruner.cost(function)
            #expect(abs(share - costs.cost(gone: gone())) < 1e-12)
        }
        for (entry, gone) in zip(open, gone()) {
            #expect(entry.minimum == 2 && entry.group.size - gone >= 2)
        }
    }

    /// Of single weights the price alone holds the cost near to its path.
    @Test(arguments: [
        [PruningTarget.sparsity(0.8)], [.maxMultiplyAccumulates(0.3)],
        [.maxParameters(0.4), .maxMultiplyAccumulates(0.5)],
    ])
    func elements(targets: [PruningTarget]) throws {
        let graph = try SmallNetwork.chain.graph(seed: 1, size: 8, classes: 10)
        let pruner = try Pruner(graph)
        let hook = try ElementPenalty(
            pruner, request: PruningRequest(.element, targets: targets), cost: .parameters, lambda: nil)
        let run = try run(graph, seed: 2, epochs: 10, hooks: [hook])
        try run.train()
        let plan = try hook.plan(run)
        let trained = try run.currentGraph()
        let receipt = try pruner.receipt(for: plan, after: trained)
        // Sparsity is asked for at least, cost at most.
        let missing =
            receipt.targets.map { target in
                let distance = target.requested - (target.achieved ?? .infinity)
                return target.kind == "sparsity" ? distance : -distance
            }.max() ?? 0
        #expect(abs(missing) < 0.01, "\(receipt.targets)")
        #expect(
            trained.parameters.contains { trained.constants[$0]?.scalars(as: Float.self).contains(0) == true }
        )
    }

    /// Closed gates save what was asked for, too.
    @Test(arguments: [SmallNetwork.chain, .residual], Budget.all)
    func gates(network: SmallNetwork, budget: Budget) throws {
        let graph = try network.graph(seed: 1, size: 8, classes: 10)
        let pruner = try Pruner(graph)
        let request = channelRequest(budget.targets, minimum: 2)
        let hook = try GatedUnits(pruner, request: request, cost: budget.charged, lambda: nil, seed: 3)
        let open = try pruner.openGroups(for: request)
        let costs = budget.shares.map { WidthCosts($0.cost, pruner, groups: open.map(\.group)) }
        let run = try run(graph, seed: 2, epochs: 20, hooks: [hook])
        try run.train()
        let plan = hook.plan.channels ?? []
        let gone = open.map { entry in plan.first { $0.group == entry.group.id }?.dropped.count ?? 0 }
        let distance = zip(costs, budget.shares).map { $0.cost(gone: gone) - $1.share }.max() ?? 0
        let unit = costs.map { largestUnit($0, gone) }.max() ?? 0
        #expect(distance <= max(0.01, unit) && distance >= -unit, "\(distance), a unit is \(unit)")
        for (entry, gone) in zip(open, gone) { #expect(entry.group.size - gone >= 2) }
    }
}
