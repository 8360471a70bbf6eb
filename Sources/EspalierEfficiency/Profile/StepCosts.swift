import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierTensors

/// What a step of a plan has to compute and to move.
struct StepCosts {
    /// All weights counted, and those that are not zero.
    var macs = 0
    var remainingMacs = 0
    /// Weights that are not zero and other constants; nothing of how they are kept.
    var constantByteCount = 0
    /// Values read and written.
    var activationByteCount = 0
    /// The product that it is, if it is one of a constant weight.
    var work: KernelWork?
    /// The nodes with multiply-accumulates among its own.
    var weightedNodes: [NodeID] = []
}

/// Finds the costs of steps.
struct StepCostTable {
    /// Layers with multiply-accumulates, in the graph's order.
    let weightedLayers: [ModelSummary.Layer]
    private let resolved: ResolvedGraph
    private let totals: [NodeID: ModelSummary.Totals]
    private let nodes: [NodeID: Node]

    init(_ network: BenchmarkedNetwork) {
        resolved = network.resolved
        weightedLayers = network.summary.layers.filter { $0.totals.multiplyAccumulates > 0 }
        totals = Dictionary(uniqueKeysWithValues: weightedLayers.map { ($0.node, $0.totals) })
        nodes = Dictionary(uniqueKeysWithValues: resolved.graph.nodes.map { ($0.id, $0) })
    }

    func costs(_ subject: StepSubject) -> StepCosts {
        switch subject {
        case .node(let head, let fused): computed(([head] + fused).compactMap { nodes[$0] })
        case .value(let value): moved(value)
        }
    }

    /// Of a node and what is fused behind it.
    private func computed(_ found: [Node]) -> StepCosts {
        var costs = StepCosts()
        let inside = Set(found.flatMap { $0.outputs.compactMap { $0 } })
        for node in found {
            if let own = totals[node.id] {
                costs.macs += own.multiplyAccumulates
                costs.remainingMacs += own.effectiveMultiplyAccumulates
                costs.weightedNodes.append(node.id)
            }
            for case let value? in node.inputs where !inside.contains(value) {
                guard let facts = resolved.facts[value] else { continue }
                if let constant = facts.constant {
                    let stored = constant.dtype.isFloatingPoint ? constant.nonzeroCount : constant.count
                    costs.constantByteCount += stored * constant.dtype.byteCount
                } else {
                    costs.activationByteCount += Self.byteCount(facts)
                }
            }
        }
        // What is fused behind a node takes its place in memory.
        for case let value? in found.last?.outputs ?? [] {
            if let facts = resolved.facts[value] { costs.activationByteCount += Self.byteCount(facts) }
        }
        if costs.weightedNodes.count == 1, let node = nodes[costs.weightedNodes[0]] {
            costs.work = work(of: node, costs)
        }
        return costs
    }

    /// Of a copy into another layout.
    private func moved(_ value: ValueID) -> StepCosts {
        var costs = StepCosts()
        if let facts = resolved.facts[value] { costs.activationByteCount = 2 * Self.byteCount(facts) }
        return costs
    }

    private func work(of node: Node, _ costs: StepCosts) -> KernelWork? {
        guard let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id],
            let port = signature.weightPort, let weight = signature.constant(port)
        else { return nil }
        // What the planner chose by, where it had a choice.
        if let lowering = operation as? any Lowering,
            case .product(let work, _) = lowering.layoutChoice(signature)
        {
            return work
        }
        return KernelWork(
            operation, signature, weight: port, nonzeros: weight.nonzeroCount,
            activationByteCount: costs.activationByteCount)
    }

    private static func byteCount(_ facts: ValueFacts) -> Int { facts.shape.count * facts.dtype.byteCount }
}
