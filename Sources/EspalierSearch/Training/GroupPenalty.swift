import EspalierExecution
import EspalierGraphs
package import EspalierPruning
package import EspalierTensors
package import EspalierTraining

/// Trains with risk + lambda sum_g c_g ||theta_g|| over the coupled units of a network, by a proximal step after each step of
/// the optimiser, so that units come to be exactly zero (Yuan & Lin 2006; Parikh & Boyd 2014).
///
/// c_g is what removing one more unit of the group saves of the cost, as a share of the dense network's and at the widths of
/// the epoch, divided by the typical norm that the group's units began with: the sum begins as a first-order estimate of
/// the cost, and lambda is the loss that the whole cost is worth. The proximal step is that of the optimiser's own metric.
///
/// With a price, all units are charged for. Under a budget only those are that a plan for it would drop, made anew some twenty
/// times with the weights of the moment: the projection onto the budget. The others then lose nothing of their size, as they
/// would under a price that is high enough (the bias of the lasso), and the price of the chosen ones grows until they are zero
/// (as in the growing regularisation of Wang, Qin, Zhang & Fu 2021).
///
/// A weight between two groups is in a unit of each: their proximal steps follow one another, which tends to the step of the
/// sum as steps get short (Bertsekas 2011, incremental proximal methods).
package final class GroupPenalty: StepHook {
    /// How often in training a budget's units are chosen.
    private static let choices = 20

    private let groups: ChargedGroups
    private let evidence: Evidence.Source
    package private(set) var path: PricePath
    private var units: [CoupledUnits] = []
    /// By group, c_g.
    private var charges: [Double] = []
    /// By group, the typical norm of its units when training began.
    private var norms: [Double] = []
    /// By group and unit.
    private var isGone: [[Bool]] = []
    /// Those that are charged for.
    private var isCharged: [[Bool]] = []
    private var metric: [Float] = []

    /// - Parameters:
    ///   - request: what may go, and how little may stay; its targets are the budgets where `lambda` is nil.
    ///   - cost: what is charged for.
    ///   - lambda: the price; nil to find one that meets the targets.
    /// - Throws: ``PruningError`` if nothing may go.
    package init(
        _ pruner: Pruner, request: PruningRequest, cost: CostFunction, lambda: Double?,
        evidence: @escaping Evidence.Source = { _ in .none }
    ) throws(PruningError) {
        self.evidence = evidence
        groups = try ChargedGroups(pruner, request: request, cost: cost, lambda: lambda)
        path = PricePath(groups.price)
    }

    package var identity: String {
        "group penalty on \(groups.identity)"
    }

    package var isSettled: Bool { false }

    package func trainingWillBegin(_ run: TrainingRun) throws {
        prepare(run)
        let values = UnsafeBufferPointer(run.store.values)
        norms = units.map { group in
            let squares = group.slices.map { slices -> Double in
                let norm = GroupShrinkage.norm(of: values, slices: slices)
                return norm * norm
            }
            return (squares.reduce(0, +) / Double(max(1, squares.count))).squareRoot()
        }
        refreshCharges()
        try choose(run)
    }

    package func epochDidEnd(_ run: TrainingRun) throws { refreshCharges() }

    package func didUpdate(_ run: TrainingRun) throws {
        prepare(run)
        guard let optimizer = run.recipe.optimizer as? any ProximalOptimizer else {
            throw TrainingError.mismatch(
                "no proximal step is known for the optimizer \(type(of: run.recipe.optimizer).name)")
        }
        let step = run.stepsDone
        let rate = run.recipe.schedule.rate(at: step - 1, of: run.totalSteps)
        let progress = Double(step) / Double(max(1, run.totalSteps))
        if path.isCharging, path.lambda > 0 {
            metric.withUnsafeMutableBufferPointer { buffer in
                let kind = optimizer.metric(run.updater, learningRate: rate, into: buffer)
                shrink(run.store.values, kind, UnsafeBufferPointer(buffer), progress: progress)
            }
        } else {
            keepGone(run.store.values)
        }
        path.advance(costs, progress: progress, stepShare: 1 / Double(max(1, run.totalSteps)))
        if step.isMultiple(of: max(1, run.totalSteps / Self.choices)) { try choose(run) }
    }

    /// Decides which units are charged for.
    private func choose(_ run: TrainingRun) throws {
        guard case .budgets = path.price else { return }
        let graph = try run.currentGraph()
        let chosen = try groups.pruner.plan(
            groups.request, evidence: try evidence(graph), parameters: graph, continuing: plan)
        let dropped = Dictionary(
            uniqueKeysWithValues: (chosen.channels ?? []).map { ($0.group, Set($0.dropped)) })
        isCharged = groups.open.map { entry in
            let units = dropped[entry.group.id] ?? []
            return (0..<entry.group.size).map(units.contains)
        }
    }

    private func shrink(
        _ values: UnsafeMutableBufferPointer<Float>, _ kind: StepMetric, _ metric: UnsafeBufferPointer<Float>,
        progress: Double
    ) {
        for (place, group) in units.enumerated() {
            var left = isGone[place].count { !$0 }
            for (unit, slices) in group.slices.enumerated() {
                let wasGone = isGone[place][unit]
                // Few units are not charged for: the last of a group would take the network apart.
                guard wasGone || (isCharged[place][unit] && left > group.minimum) else { continue }
                let penalty = path.lambda * charges[place]
                let norm =
                    switch kind {
                    case .uniform(let length):
                        GroupShrinkage.apply(length * penalty, to: values, slices: slices)
                    case .diagonal:
                        MetricShrinkage.apply(penalty: penalty, metric: metric, to: values, slices: slices)
                    }
                isGone[place][unit] = norm == 0
                guard norm == 0, !wasGone else { continue }
                left -= 1
                if path.isMet(costs, progress: progress) { return keepGone(values) }
            }
        }
    }

    /// Zeroes what is gone, which momentum would bring back.
    private func keepGone(_ values: UnsafeMutableBufferPointer<Float>) {
        for (flags, group) in zip(isGone, units) {
            for (isGone, slices) in zip(flags, group.slices) where isGone {
                GroupShrinkage.apply(.infinity, to: values, slices: slices)
            }
        }
    }

    // MARK: Costs

    private var goneCounts: [Int] { isGone.map { $0.count { $0 } } }

    /// What is left, in the budgets' order.
    private var costs: [Double] { groups.costs(gone: goneCounts) }

    private func refreshCharges() {
        charges = zip(groups.savings(gone: goneCounts), norms).map { $1 > 0 ? $0 / $1 : 0 }
    }

    private func prepare(_ run: TrainingRun) {
        guard units.isEmpty else { return }
        units = groups.open.map {
            CoupledUnits($0.group, minimum: $0.minimum, graph: run.graph, store: run.store)
        }
        metric = [Float](repeating: 0, count: run.store.extent)
        if isGone.isEmpty {
            isGone = groups.open.map { [Bool](repeating: false, count: $0.group.size) }
            isCharged = groups.open.map { [Bool](repeating: true, count: $0.group.size) }
        }
    }

    // MARK: Result

    /// A plan of the units that are gone.
    package var plan: PrunePlan {
        groups.plan(
            dropping: isGone.map { flags in flags.indices.filter { flags[$0] } }, method: "lagrangian")
    }

    package var state: [String: Tensor] {
        let flags = zip(isGone, isCharged).flatMap { gone, charged in
            zip(gone, charged).map { UInt8($0 ? 1 : 0) | UInt8($1 ? 2 : 0) }
        }
        return [
            "charges": Tensor(shape: [charges.count], scalars: charges),
            "norms": Tensor(shape: [norms.count], scalars: norms),
            "units": Tensor(shape: [flags.count], scalars: flags),
            "price": Tensor(shape: [2], scalars: [path.lambda, path.isCharging ? 1 : 0]),
        ]
    }

    package func restore(_ state: [String: Tensor]) throws {
        guard let charges = state["charges"]?.scalars(as: Double.self),
            let norms = state["norms"]?.scalars(as: Double.self),
            let flags = state["units"]?.scalars(as: Int64.self),
            let price = state["price"]?.scalars(as: Double.self), price.count == 2,
            charges.count == groups.open.count, norms.count == groups.open.count,
            flags.count == groups.unitCount
        else { throw TrainingError.checkpoint("it has no state of the penalty on these groups") }
        self.charges = charges
        self.norms = norms
        path.restore(lambda: price[0], isCharging: price[1] != 0)
        var rest = flags[...]
        let byGroup = groups.open.map { entry in
            defer { rest = rest.dropFirst(entry.group.size) }
            return rest.prefix(entry.group.size)
        }
        isGone = byGroup.map { $0.map { $0 & 1 != 0 } }
        isCharged = byGroup.map { $0.map { $0 & 2 != 0 } }
    }
}
