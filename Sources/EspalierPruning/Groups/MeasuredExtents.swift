import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Follows what nodes compute from extents of tensors, to see whether it stays among shapes.
///
/// When an axis is cut, everything computed from its extent changes with it. That is right for the target of
/// a reshape, and wrong for a number that is multiplied with activations.
struct MeasuredExtents {
    private let resolved: ResolvedGraph
    private let readers: [ValueID: [Node]]

    init(_ resolved: ResolvedGraph) {
        self.resolved = resolved
        var readers: [ValueID: [Node]] = [:]
        for node in resolved.graph.nodes {
            for value in Set(node.dependencies) { readers[value, default: []].append(node) }
        }
        self.readers = readers
    }

    /// The node that makes something other than a shape of the outputs of `node`, by its label; nil if there
    /// is none.
    func realUse(of node: Node) -> String? {
        var seen: Set<ValueID> = []
        var waiting = node.outputs.compactMap { $0 }
        while let value = waiting.popLast() {
            guard seen.insert(value).inserted else { continue }
            if resolved.graph.outputs.contains(value) { return node.label }
            for reader in readers[value] ?? [] {
                switch use(by: reader) {
                case .arithmetic: waiting += reader.outputs.compactMap { $0 }
                case .shape: break
                case .other: return reader.label
                }
            }
        }
        return nil
    }

    private enum Use { case arithmetic, shape, other }

    private func use(by reader: Node) -> Use {
        guard resolved.operators[reader.id] != nil, let signature = resolved.signatures[reader.id] else {
            return .other
        }
        // Integers known in advance are shapes still.
        if signature.outputs.allSatisfy({ $0.constant != nil && !$0.dtype.isFloatingPoint }) {
            return .arithmetic
        }
        // Beside real activations an integer says where or how much; alone it can only become the number
        // itself.
        let hasActivations = signature.inputs.contains { facts in
            facts.map { $0.dtype.isFloatingPoint && $0.constant == nil } ?? false
        }
        let isReal = signature.outputs.allSatisfy(\.dtype.isFloatingPoint)
        return hasActivations && isReal ? .shape : .other
    }
}
