import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// The indices that stay on every axis that a removal of units goes through.
struct GraphCut {
    /// Ascending; only axes that lose something.
    private(set) var kept: [ValueAxis: [Int]] = [:]

    var isEmpty: Bool { kept.isEmpty }

    /// - Parameters:
    ///   - dropped: the units to remove, by group.
    ///   - isNeeded: whether an axis of a value is of interest.
    init(
        dropping dropped: [(group: PruningGroup, units: [Int])], in resolved: ResolvedGraph,
        where isNeeded: (ValueID) -> Bool = { _ in true }
    ) {
        var flags: [ValueAxis: [Bool]] = [:]
        for (group, units) in dropped where !units.isEmpty {
            for member in group.members + group.activations where isNeeded(member.axis.value) {
                guard let shape = resolved.facts[member.axis.value]?.shape else { continue }
                var keeps = flags[member.axis] ?? [Bool](repeating: true, count: shape[member.axis.axis])
                for unit in units {
                    for index in member.indices(ofUnit: unit) { keeps[index] = false }
                }
                flags[member.axis] = keeps
            }
        }
        kept = flags.mapValues { keeps in keeps.indices.filter { keeps[$0] } }
    }

    /// The part of the cut that concerns one node.
    func axisCut(of node: Node, signature: Signature) -> AxisCut {
        var cut = AxisCut(kept: [:])
        for port in node.inputs.indices {
            guard let value = node.inputs[port] else { continue }
            for axis in 0..<signature.inputShape(port).rank {
                if let kept = kept[ValueAxis(value, axis: axis)] { cut.kept[.input(port, axis: axis)] = kept }
            }
        }
        for port in node.outputs.indices {
            guard let value = node.outputs[port] else { continue }
            for axis in 0..<signature.outputShape(port).rank {
                if let kept = kept[ValueAxis(value, axis: axis)] {
                    cut.kept[.output(port, axis: axis)] = kept
                }
            }
        }
        return cut
    }

    /// The facts of a value after the cut: its new shape, and no longer its old constant.
    func facts(_ facts: ValueFacts, of value: ValueID?) -> ValueFacts {
        guard let value else { return facts }
        var shape = facts.shape
        var isCut = false
        for axis in 0..<shape.rank {
            guard let kept = kept[ValueAxis(value, axis: axis)] else { continue }
            shape[axis] = kept.count
            isCut = true
        }
        return isCut ? ValueFacts(dtype: facts.dtype, shape: shape) : facts
    }
}
