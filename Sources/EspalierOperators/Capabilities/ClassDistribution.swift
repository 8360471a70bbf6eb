package import EspalierGraphs

/// An operator that turns logits into the probabilities of classes.
///
/// Losses on classes are taken on logits: a softmax behind them is numerically poor to go back through, and counting it
/// twice is wrong.
package protocol ClassDistribution: Operator {
    /// The input with the logits, of the output's shape; nil if for these shapes a row of the output is no
    /// distribution.
    func logitsPort(_ signature: Signature) -> Int?
}

extension ResolvedGraph {
    /// Where a loss on classes is taken for `output`: on the logits whose distribution it is, else on itself.
    package func logits(of output: ValueID) -> ValueID {
        guard let node = graph.nodes.first(where: { $0.outputs.contains(output) }),
            let operation = operators[node.id] as? any ClassDistribution, let signature = signatures[node.id],
            let port = operation.logitsPort(signature), node.inputs.indices.contains(port)
        else { return output }
        return node.inputs[port] ?? output
    }
}
