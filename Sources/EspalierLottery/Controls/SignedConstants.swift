package import EspalierGraphs
import EspalierTensors

/// Weights of which only the signs are kept: what a ticket owes to the sizes of its initial weights shows in the difference
/// (Zhou, Lan, Liu & Yosinski 2019).
package enum SignedConstants {
    /// The network with each of some weights replaced by its sign times the root mean square of the weight it is in, zeros and
    /// all, so that what is masked later does not matter.
    ///
    /// - Parameter factor: what the sizes in a weight are multiplied with besides.
    /// - Throws: ``GraphError`` for a value that is no constant of the graph.
    package static func applied(
        to graph: Graph, weights: [ValueID], times factor: (ValueID) -> Double = { _ in 1 }
    ) throws(GraphError) -> Graph {
        var patch = Patch(for: graph)
        for id in weights {
            guard let tensor = graph.constants[id] else { throw .unknownValue(id) }
            let values = tensor.scalars(as: Float.self)
            let sum = values.reduce(0.0) { $0 + Double($1) * Double($1) }
            let size = Float(factor(id) * (sum / Double(max(1, values.count))).squareRoot())
            let signs = values.map { $0 == 0 ? 0 : $0 < 0 ? -size : size }
            patch.append(
                .setConstant(id, Tensor(shape: tensor.shape, scalars: signs).converted(to: tensor.dtype)))
        }
        return try graph.applying(patch)
    }
}
