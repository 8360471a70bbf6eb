import EspalierGraphs
import EspalierTensors

/// What nodes compute from shapes and constants alone, found out while a graph is resolved.
///
/// Whole numbers that are known so become ``ValueFacts/constant``. Real ones never do: a weight that a node converts is computed
/// when the network runs, as it can be trained and pruned. But some exporters go from extents to extents through real
/// numbers, as in `int(n ** 0.5)`. Those are remembered here, for what whole numbers come of them.
struct ShapeArithmetic {
    /// The largest value that is computed in advance: shape arithmetic, not images.
    private static let limit = 4096
    /// The same for values that real numbers are computed from, and these.
    private static let realLimit = 64

    /// Real values that nodes compute from shapes.
    private var reals: [ValueID: Tensor] = [:]

    /// Computes what is known of a node's outputs.
    ///
    /// - Parameters:
    ///   - inputs: the facts of the node's inputs.
    ///   - outputs: what the operator inferred; values that are found out are added.
    /// - Throws: ``OperatorError`` if whole numbers cannot be computed, as for a division by zero.
    mutating func evaluate(
        _ operation: any Operator, of node: Node, inputs: [ValueFacts?], outputs: inout [ValueFacts]
    ) throws(OperatorError) {
        try compute(operation, of: node, inputs: inputs, outputs: &outputs)
        for index in outputs.indices { outputs[index].isDerived = outputs[index].constant != nil }
    }

    private mutating func compute(
        _ operation: any Operator, of node: Node, inputs: [ValueFacts?], outputs: inout [ValueFacts]
    ) throws(OperatorError) {
        var values: [Tensor?] = []
        // Whether a shape, or a number computed from one, is among what the node reads.
        var readsShapes = false
        for (id, facts) in zip(node.inputs, inputs) {
            let real = id.flatMap { reals[$0] }
            let value = facts?.constant ?? real
            if facts != nil, value == nil { return }
            values.append(value)
            if real != nil || facts?.isDerived == true { readsShapes = true }
        }
        guard !values.isEmpty, outputs.contains(where: { $0.constant == nil }) else { return }
        if outputs.allSatisfy({ !$0.dtype.isFloatingPoint && $0.shape.count <= Self.limit }) {
            let results = try operation.evaluate(values, outputs: outputs).get()
            for (index, value) in results.enumerated() where index < outputs.count {
                outputs[index].constant = value
            }
            return
        }
        let counts = values.map { $0?.count ?? 0 } + outputs.map(\.shape.count)
        guard readsShapes, counts.allSatisfy({ $0 <= Self.realLimit }),
            // What fails here fails when it is needed.
            case .success(let results) = operation.evaluate(values, outputs: outputs)
        else { return }
        for (id, value) in zip(node.outputs, results) where value.dtype.isFloatingPoint {
            if let id { reals[id] = value }
        }
    }
}
