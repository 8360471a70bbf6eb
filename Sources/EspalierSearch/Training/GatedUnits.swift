import EspalierExecution
package import EspalierGraphs
package import EspalierPruning
package import EspalierTensors
package import EspalierTraining
import Foundation

/// Trains with a hard concrete gate on each coupled unit, and the expected cost of the units that are left as penalty: L0
/// regularisation (Louizos, Welling & Kingma 2018).
///
/// At each step every gate draws a number, one for the whole batch, and multiplies what makes the channel: its weights and bias,
/// or the gamma and beta of its batch norm. The gradient reaches ln alpha through that product. A unit's share of the cost is
/// what removing it saves at the widths of the epoch, by the number of closed test-time gates. Under a budget the price follows
/// it as in ``GroupPenalty``, and no more gates close than it takes.
package final class GatedUnits: StepHook {
    private let groups: ChargedGroups
    private let seed: UInt64
    package private(set) var path: PricePath
    private var units: [CoupledUnits] = []
    /// Of all groups, one after another.
    private var gates: [Gate]
    /// By group.
    private var savings: [Double] = []
    /// The parameters without gates, while a step is under way.
    private var plain: [Float] = []

    private struct Gate {
        /// ln alpha, begun where the test-time gate is just open: sigmoid is stretched by a fifth.
        var logAlpha = 3.0
        /// Adam's moments.
        var first = 0.0
        var second = 0.0
        var value = 1.0
        var slope = 0.0
    }

    /// How far ln alpha can move in training at most: from wide open to closed in a fourteenth of it.
    private static let travel = 75.0
    /// The share of training in which the price doubles. A gate that turns takes longer to close than a unit takes to shrink;
    /// by then a fast price would have turned all others, too.
    private static let doubling = 0.05
    private static let justOpen = HardConcrete.closing + 1e-6

    /// - Parameters:
    ///   - seed: of the gates' noise.
    ///   - others: as of ``GroupPenalty/init(_:request:cost:lambda:)``.
    /// - Throws: ``PruningError`` if nothing may go.
    package init(
        _ pruner: Pruner, request: PruningRequest, cost: CostFunction, lambda: Double?, seed: UInt64
    ) throws(PruningError) {
        self.seed = seed
        groups = try ChargedGroups(pruner, request: request, cost: cost, lambda: lambda)
        path = PricePath(groups.price, doubling: Self.doubling)
        gates = [Gate](repeating: Gate(), count: groups.unitCount)
    }

    package var identity: String {
        "hard concrete gates with seed \(seed), charged for \(groups.identity)"
    }

    package var isSettled: Bool { false }

    package func trainingWillBegin(_ run: TrainingRun) throws { refreshSavings() }

    package func epochDidEnd(_ run: TrainingRun) throws { refreshSavings() }

    package func willCompute(_ run: TrainingRun) throws {
        prepare(run)
        let values = run.store.values
        plain.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: values) }
        var random = RandomSource(seed: seed).split("gates").split(run.stepsDone)
        for gate in gates.indices {
            let sample = HardConcrete.sample(logAlpha: gates[gate].logAlpha, uniform: random.uniform())
            (gates[gate].value, gates[gate].slope) = (sample.value, sample.derivative)
        }
        multiply(values)
    }

    package func willUpdate(_ run: TrainingRun) throws {
        let (values, gradients) = (run.store.values, run.store.gradients)
        // Only what has gates: running statistics have learned in the meantime.
        _ = values.update(fromContentsOf: plain[..<run.store.trainableExtent])
        let rate = Self.travel / Double(max(1, run.totalSteps))
        let (isSpared, isOpen) = (isSpared, gates.indices.map { testGate($0) > 0 })
        forEachGate { gate, place, slices in
            // d risk / d z, by the chain rule through each product, and then through each weight's own gate.
            var slope = 0.0
            for slice in slices {
                slice.forEachRun(in: values.count) { start in
                    for element in start..<start + slice.runLength {
                        slope += Double(gradients[element]) * Double(values[element])
                    }
                }
            }
            let penalty = HardConcrete.probabilityNonzero(logAlpha: gates[gate].logAlpha).derivative
            let price = path.isCharging && !isSpared[gate] ? path.lambda * savings[place] : 0
            let derivative = slope * gates[gate].slope + price * penalty
            step(gate, derivative, number: run.stepsDone + 1, rate: rate)
        }
        let progress = Double(run.stepsDone + 1) / Double(max(1, run.totalSteps))
        close(gates.indices.filter { isOpen[$0] && testGate($0) == 0 }, progress: progress)
        multiply(gradients)
    }

    /// Gates that are alike come to their end together: under a budget those that it does not take are held just open, the least
    /// closed first.
    private func close(_ closing: [Int], progress: Double) {
        let ends = closing.map { (alpha: gates[$0].logAlpha, gate: $0) }.sorted { $0 < $1 }
        for (_, gate) in ends { gates[gate].logAlpha = Self.justOpen }
        for (alpha, gate) in ends {
            if path.isMet(costs, progress: progress) { return }
            gates[gate].logAlpha = alpha
        }
    }

    package func didUpdate(_ run: TrainingRun) throws {
        let total = Double(max(1, run.totalSteps))
        path.advance(costs, progress: Double(run.stepsDone) / total, stepShare: 1 / total)
    }

    /// With test-time gates.
    package func evaluated(_ graph: Graph, in run: TrainingRun) throws -> Graph { try folded(run) }

    private func step(_ gate: Int, _ derivative: Double, number: Int, rate: Double) {
        let (beta1, beta2) = (0.9, 0.999)
        gates[gate].first = beta1 * gates[gate].first + (1 - beta1) * derivative
        gates[gate].second = beta2 * gates[gate].second + (1 - beta2) * derivative * derivative
        let mean = gates[gate].first / (1 - pow(beta1, Double(number)))
        let size = (gates[gate].second / (1 - pow(beta2, Double(number)))).squareRoot()
        gates[gate].logAlpha -= rate * mean / (size + 1e-12)
    }

    private func multiply(_ array: UnsafeMutableBufferPointer<Float>) {
        forEachGate { gate, _, slices in
            let factor = Float(gates[gate].value)
            guard factor != 1 else { return }
            for slice in slices {
                slice.forEachRun(in: array.count) { start in
                    for element in start..<start + slice.runLength { array[element] *= factor }
                }
            }
        }
    }

    private func forEachGate(_ body: (_ gate: Int, _ group: Int, _ slices: [WeightSlice]) -> Void) {
        var gate = 0
        for (place, group) in units.enumerated() {
            for slices in group.gates {
                body(gate, place, slices)
                gate += 1
            }
        }
    }

    private func prepare(_ run: TrainingRun) {
        guard units.isEmpty else { return }
        units = groups.open.map {
            CoupledUnits($0.group, minimum: $0.minimum, graph: run.graph, store: run.store)
        }
        plain = [Float](repeating: 0, count: run.store.extent)
    }

    // MARK: Costs

    /// By group, the units whose test-time gates are closed, but for those that must stay.
    private var closed: [[Int]] {
        order.map { units in
            units.going.filter { testGate($0) == 0 }.map { $0 - units.start }.sorted()
        }
    }

    /// By gate, whether it is not charged for: the most open of each group, as many as must stay, once they are not fully open.
    /// Till then nothing tells which of them is worth most.
    private var isSpared: [Bool] {
        var result = [Bool](repeating: false, count: gates.count)
        for units in order {
            for gate in units.staying where testGate(gate) < 1 { result[gate] = true }
        }
        return result
    }

    /// By group, the first gate's number, and all of its gates divided into the most open, which stay if they must, and those that
    /// may go.
    private var order: [(start: Int, going: ArraySlice<Int>, staying: ArraySlice<Int>)] {
        var start = 0
        return groups.open.map { entry in
            defer { start += entry.group.size }
            let order = (start..<start + entry.group.size).sorted {
                (gates[$0].logAlpha, $0) < (gates[$1].logAlpha, $1)
            }
            return (start, order.dropLast(entry.minimum), order.suffix(entry.minimum))
        }
    }

    private func testGate(_ gate: Int) -> Double {
        HardConcrete.testGate(logAlpha: gates[gate].logAlpha).value
    }

    private var costs: [Double] { groups.costs(gone: closed.map(\.count)) }

    private func refreshSavings() {
        savings = groups.savings(gone: closed.map(\.count))
    }

    // MARK: Result

    /// The network with the test-time gates folded into its weights.
    package func folded(_ run: TrainingRun) throws -> Graph {
        prepare(run)
        let values = run.store.values
        let saved = Array(values)
        defer { _ = values.update(fromContentsOf: saved) }
        for gate in gates.indices { gates[gate].value = testGate(gate) }
        multiply(values)
        return try run.currentGraph()
    }

    /// A plan of the units whose test-time gates are closed.
    package var plan: PrunePlan {
        groups.plan(dropping: closed, method: "l0")
    }

    package var state: [String: Tensor] {
        let numbers = gates.flatMap { [$0.logAlpha, $0.first, $0.second] }
        return [
            "gates": Tensor(shape: [gates.count, 3], scalars: numbers),
            "savings": Tensor(shape: [savings.count], scalars: savings),
            "price": Tensor(shape: [2], scalars: [path.lambda, path.isCharging ? 1 : 0]),
        ]
    }

    package func restore(_ state: [String: Tensor]) throws {
        guard let numbers = state["gates"]?.scalars(as: Double.self), numbers.count == 3 * gates.count,
            let savings = state["savings"]?.scalars(as: Double.self), savings.count == groups.open.count,
            let price = state["price"]?.scalars(as: Double.self), price.count == 2
        else { throw TrainingError.checkpoint("it has no state of these gates") }
        for gate in gates.indices {
            gates[gate].logAlpha = numbers[3 * gate]
            gates[gate].first = numbers[3 * gate + 1]
            gates[gate].second = numbers[3 * gate + 2]
        }
        self.savings = savings
        path.restore(lambda: price[0], isCharging: price[1] != 0)
    }
}
