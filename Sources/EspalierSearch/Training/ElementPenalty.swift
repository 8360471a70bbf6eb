import EspalierExecution
import EspalierGraphs
import EspalierKernels
package import EspalierPruning
package import EspalierTensors
package import EspalierTraining

/// Trains with risk + lambda sum_i c_i |theta_i| over single weights, by a proximal step after each step of the optimiser, so
/// that weights come to be exactly zero (Tibshirani 1996; Daubechies, Defrise & De Mol 2004).
///
/// c_i is what a zero in the layer saves of the cost, as a share of the dense network's, divided by the typical magnitude
/// that the layer's weights began with: as in ``GroupPenalty``, lambda is the loss that the whole cost is worth. The largest
/// weights of a layer are not charged for once no more are left than must stay.
///
/// Under a budget no step takes more than the path of the cost has room for, and zeros stay.
package final class ElementPenalty: StepHook {
    private let pruner: Pruner
    private let request: PruningRequest
    private let open: [ValueID]
    /// By weight, how many elements stay.
    private let minima: [Int]
    private let charged: CostFunction
    private let savings: [Double]
    /// One for each budget, of the numbers of zeros.
    private let budgetCosts: [([Int]) -> Double]
    package private(set) var path: PricePath
    private var ranges: [Range<Int>] = []
    /// By weight, the typical magnitude when training began.
    private var magnitudes: [Double] = []
    /// By weight.
    private var zeroCounts: [Int] = []
    private var metric: [Float] = []
    /// Of all parameters, after the last step.
    private var isZero: [Bool] = []

    /// - Parameters: as of ``GroupPenalty/init(_:request:cost:lambda:)``.
    /// - Throws: ``PruningError`` if nothing may go.
    package init(
        _ pruner: Pruner, request: PruningRequest, cost: CostFunction, lambda: Double?
    ) throws(PruningError) {
        self.pruner = pruner
        self.request = request
        let open = try pruner.openWeights(for: request)
        self.open = open
        charged = cost
        savings = WidthCosts(cost, pruner, weights: open).savings(gone: open.map { _ in 0 })
        let held = try pruner.heldZeros(for: request)
        minima = open.map { request.minimumKept.kept(of: pruner.graph.constants[$0]?.count ?? 0) }
        let total = open.reduce(0) { $0 + (pruner.graph.constants[$1]?.count ?? 0) }
        var budgets: [Double] = []
        var costs: [([Int]) -> Double] = []
        for target in request.targets {
            switch target {
            case .maximum(let cost, let share):
                let widths = WidthCosts(cost, pruner, weights: open, held: held)
                costs.append { widths.cost(gone: $0) }
                budgets.append(share)
            case .sparsity(let share):
                costs.append { 1 - Double($0.reduce(0, +)) / Double(max(1, total)) }
                budgets.append(1 - share)
            case .completion: break
            }
        }
        budgetCosts = costs
        path = PricePath(lambda.map { .fixed($0) } ?? .budgets(budgets))
    }

    package var identity: String {
        "element penalty on \(charged.id), \(path.price), \(request.identity)"
    }

    package var isSettled: Bool { false }

    package func trainingWillBegin(_ run: TrainingRun) throws {
        prepare(run)
        magnitudes = ranges.map { range in
            let sum = run.store.values[range].reduce(0) { $0 + Double($1) * Double($1) }
            return (sum / Double(max(1, range.count))).squareRoot()
        }
        countZeros(run)
    }

    /// After a restart the zeros are those of the step before.
    package func willCompute(_ run: TrainingRun) throws { prepare(run) }

    package func didUpdate(_ run: TrainingRun) throws {
        guard let optimizer = run.recipe.optimizer as? any ProximalOptimizer else {
            throw TrainingError.mismatch(
                "no proximal step is known for the optimizer \(type(of: run.recipe.optimizer).name)")
        }
        let step = run.stepsDone
        let rate = run.recipe.schedule.rate(at: step - 1, of: run.totalSteps)
        let progress = Double(step) / Double(max(1, run.totalSteps))
        metric.withUnsafeMutableBufferPointer { buffer in
            let kind = optimizer.metric(run.updater, learningRate: rate, into: buffer)
            let reach = Reach(values: run.store.values, metric: UnsafeBufferPointer(buffer), kind: kind)
            shrink(reach, by: limited(path.isCharging ? path.lambda : 0, reach, progress: progress))
        }
        countZeros(run)
        path.advance(costs(zeroCounts), progress: progress, stepShare: 1 / Double(max(1, run.totalSteps)))
    }

    /// What a proximal step works on.
    private struct Reach {
        let values: UnsafeMutableBufferPointer<Float>
        let metric: UnsafeBufferPointer<Float>
        let kind: StepMetric

        /// The price, per saving, at which an element becomes zero.
        func limit(_ element: Int) -> Double {
            switch kind {
            case .uniform(let length): Double(values[element].magnitude) / length
            case .diagonal: Double(values[element].magnitude) / Double(metric[element])
            }
        }
    }

    /// The price, or as much of it as brings no cost below its path.
    private func limited(_ lambda: Double, _ reach: Reach, progress: Double) -> Double {
        guard case .budgets = path.price, lambda > 0 else { return lambda }
        func isMet(_ lambda: Double) -> Bool {
            let zeros = ranges.indices.map { place in
                let penalty = lambda * charge(place)
                return ranges[place].count { reach.limit($0) <= penalty || isZero[$0] }
            }
            return path.isMet(costs(zeros), progress: progress)
        }
        guard isMet(lambda) else { return lambda }
        var (low, high) = (0.0, lambda)
        for _ in 0..<20 {
            let middle = (low + high) / 2
            if isMet(middle) { high = middle } else { low = middle }
        }
        return high
    }

    private func shrink(_ reach: Reach, by lambda: Double) {
        let isBudget = if case .budgets = path.price { true } else { false }
        for (place, range) in ranges.enumerated() where magnitudes[place] > 0 {
            if isBudget {
                // Gradients would bring back what is not charged for at the moment.
                for element in range where isZero[element] { reach.values[element] = 0 }
            }
            let penalty = lambda * charge(place)
            guard penalty > 0 else { continue }
            let spared = spared(place, reach, penalty: penalty)
            switch reach.kind {
            case .uniform(let length):
                SoftThreshold.apply(
                    Float(length * penalty), to: reach.values, slices: [WeightSlice(range)])
            case .diagonal:
                SoftThreshold.apply(
                    penalty: Float(penalty), metric: reach.metric, to: reach.values,
                    slices: [WeightSlice(range)])
            }
            for (element, value) in spared { reach.values[element] = value }
        }
    }

    /// The largest elements of a weight, as many as must stay, if the penalty leaves fewer; none otherwise.
    private func spared(
        _ place: Int, _ reach: Reach, penalty: Double
    ) -> [(element: Int, value: Float)] {
        let values = reach.values
        guard
            ranges[place].lazy.filter({ reach.limit($0) > penalty }).prefix(minima[place]).count
                < minima[place]
        else { return [] }
        return ranges[place].sorted { (-values[$0].magnitude, $0) < (-values[$1].magnitude, $1) }
            .prefix(minima[place]).map { ($0, values[$0]) }
    }

    /// c of a weight's elements.
    private func charge(_ place: Int) -> Double {
        magnitudes[place] > 0 ? savings[place] / magnitudes[place] : 0
    }

    /// What is left, in the budgets' order.
    private func costs(_ zeros: [Int]) -> [Double] { budgetCosts.map { $0(zeros) } }

    private func countZeros(_ run: TrainingRun) {
        let values = run.store.values
        zeroCounts = ranges.map { range in
            range.count { element in
                isZero[element] = values[element] == 0
                return isZero[element]
            }
        }
    }

    private func prepare(_ run: TrainingRun) {
        guard ranges.isEmpty else { return }
        let entries = Dictionary(uniqueKeysWithValues: run.store.entries.map { ($0.value, $0.range) })
        ranges = open.map { entries[$0] ?? 0..<0 }
        metric = [Float](repeating: 0, count: run.store.extent)
        isZero = [Bool](repeating: false, count: run.store.extent)
        countZeros(run)
    }

    // MARK: Result

    /// A plan of the weights that are zero now.
    package func plan(_ run: TrainingRun) throws -> PrunePlan {
        pruner.plan(request, droppingZerosOf: try run.currentGraph(), method: "lagrangian")
    }

    package var state: [String: Tensor] {
        [
            "magnitudes": Tensor(shape: [magnitudes.count], scalars: magnitudes),
            "price": Tensor(shape: [2], scalars: [path.lambda, path.isCharging ? 1 : 0]),
        ]
    }

    package func restore(_ state: [String: Tensor]) throws {
        guard let magnitudes = state["magnitudes"]?.scalars(as: Double.self), magnitudes.count == open.count,
            let price = state["price"]?.scalars(as: Double.self), price.count == 2
        else { throw TrainingError.checkpoint("it has no state of the penalty on these weights") }
        self.magnitudes = magnitudes
        path.restore(lambda: price[0], isCharging: price[1] != 0)
    }
}
