package import EspalierGraphs

/// Why a bound could not be given.
package enum RobustnessError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No Lipschitz constant is known for a node between the network's inputs and outputs.
    case unbounded(node: String, operatorName: OperatorName, reason: String)
    /// A node's weights are not all finite numbers.
    case notFinite(node: String)
    /// What is asked is not for a network like this.
    case unsupportedNetwork(String)
    /// The outputs are not those of a product with a matrix of one row for each class.
    case noLastLayer(output: String)
    /// LAPACK failed: its routine and its answer.
    case lapack(String, Int)

    package var description: String {
        switch self {
        case .unbounded(let node, let name, let reason):
            "node '\(node)' (\(name)) has no known bound: \(reason)"
        case .notFinite(let node): "node '\(node)' has weights that are not finite numbers"
        case .unsupportedNetwork(let problem): problem
        case .noLastLayer(let output):
            "'\(output)' is not what a fully connected layer gives: pairs of classes have no rows to subtract"
        case .lapack(let routine, let answer): "\(routine) of the system's LAPACK failed with \(answer)"
        }
    }
}
