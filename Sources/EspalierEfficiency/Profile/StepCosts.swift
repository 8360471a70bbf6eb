import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierTensors
import Foundation

/// What a step of a plan has to compute and to move, from the label that tells its nodes.
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
    var weightedNodes: [String] = []
}

/// Finds the costs of steps.
struct StepCostTable {
    private let resolved: ResolvedGraph
    private let totals: [String: ModelSummary.Totals]
    private let nodes: [String: Node]
    private let values: [String: ValueID]

    init(_ network: BenchmarkedNetwork) {
        resolved = network.resolved
        let graph = network.resolved.graph
        totals = Dictionary(
            network.summary.layers.map { ($0.name, $0.totals) }, uniquingKeysWith: { first, _ in first })
        nodes = Dictionary(graph.nodes.map { ($0.label, $0) }, uniquingKeysWith: { first, _ in first })
        values = Dictionary(
            graph.values.keys.map { (graph.name(of: $0), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Layers with multiply-accumulates, by name.
    var weightedLayers: [(name: String, macs: Int, remaining: Int)] {
        resolved.graph.nodes.compactMap { node in
            guard let own = totals[node.label], own.multiplyAccumulates > 0 else { return nil }
            return (node.label, own.multiplyAccumulates, own.effectiveMultiplyAccumulates)
        }
    }

    /// The nodes of a step, as its label joins them.
    static func parts(_ label: String) -> [String] { label.components(separatedBy: " + ") }

    func costs(_ label: String) -> StepCosts {
        let found = Self.parts(label).compactMap { nodes[$0] }
        guard !found.isEmpty else { return moved(label) }
        var costs = StepCosts()
        let inside = Set(found.flatMap { $0.outputs.compactMap { $0 } })
        for node in found {
            if let own = totals[node.label], own.multiplyAccumulates > 0 {
                costs.macs += own.multiplyAccumulates
                costs.remainingMacs += own.effectiveMultiplyAccumulates
                costs.weightedNodes.append(node.label)
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

    /// The value of which a step makes a copy in another layout; nil if it does something else.
    static func copiedValue(_ label: String) -> String? {
        label.hasPrefix("reorder ") ? String(label.dropFirst("reorder ".count)) : nil
    }

    /// Of a copy into another layout, which is labelled by the value.
    private func moved(_ label: String) -> StepCosts {
        var costs = StepCosts()
        let name = Self.copiedValue(label) ?? label
        if let facts = values[name].flatMap({ resolved.facts[$0] }) {
            costs.activationByteCount = 2 * Self.byteCount(facts)
        }
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
