package import EspalierGraphs
package import EspalierOperators
import EspalierTensors

/// What a network costs: a sum over nodes and a sum over stored parameters.
///
/// Targets are set in it. Others than the two here (latency, energy) are injected by whoever can measure
/// them.
package struct CostFunction: Sendable {
    /// As in plans and receipts: "macs", "parameters".
    package let id: String
    /// In messages: "multiply-accumulates".
    package let name: String
    /// The cost of one node for the given shapes. The last argument is, by input, the number of nonzero
    /// elements of a constant that is counted sparse; nil means dense.
    package let nodeCost: @Sendable (NodeID, any Operator, Signature, [Int?]) -> Double
    /// The cost of storing so many numbers of a parameter.
    package let parameterCost: @Sendable (Int) -> Double

    package init(
        id: String, name: String,
        nodeCost: @escaping @Sendable (NodeID, any Operator, Signature, [Int?]) -> Double = { _, _, _, _ in 0
        },
        parameterCost: @escaping @Sendable (Int) -> Double = { _ in 0 }
    ) {
        self.id = id
        self.name = name
        self.nodeCost = nodeCost
        self.parameterCost = parameterCost
    }

    /// Multiply-accumulates of one forward pass of one sample.
    package static let multiplyAccumulates = CostFunction(
        id: "macs", name: "multiply-accumulates",
        nodeCost: { _, operation, signature, nonzeros in
            Double(operation.multiplyAccumulates(signature, nonzeros: nonzeros))
        })

    /// Numbers stored in floating-point constants.
    package static let parameters = CostFunction(
        id: "parameters", name: "parameters", parameterCost: { Double($0) })

    /// Bytes of the weights: what a dense file of `float32` takes, but for names and the graph.
    package static let bytes = CostFunction(
        id: "bytes", name: "bytes of parameters", parameterCost: { 4 * Double($0) })
}
