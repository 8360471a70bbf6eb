public import EspalierTensors

/// A graph that breaks an invariant, or an edit that would.
public enum GraphError: Error, Sendable, Equatable {
    case duplicateName(String)
    /// Two nodes have one identity: a copy was inserted.
    case duplicateNode(label: String)
    case undefinedValue(name: String, usedBy: String)
    case severalProducers(value: String)
    case cycle(nodes: [String])
    case unknownNode(NodeID)
    case unknownValue(ValueID)
    case stillUsed(value: String, by: String)
    /// A mask is of another shape than what it is for.
    case maskMismatch(name: String, mask: Shape, constant: Shape)
}

extension GraphError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .duplicateName(let name): "two values are called '\(name)'"
        case .duplicateNode(let label):
            "two nodes have the identity of '\(label)': take newNodeID() of the patch"
        case .undefinedValue(let name, let user):
            "\(user) reads '\(name)', which nothing produces"
        case .severalProducers(let value): "more than one node, input or initializer produces '\(value)'"
        case .cycle(let nodes):
            "nodes depend on each other in a cycle: \(nodes.prefix(6).joined(separator: ", "))"
        case .unknownNode(let id): "no node \(id.index) in this graph"
        case .unknownValue(let id): "no value \(id.index) in this graph"
        case .stillUsed(let value, let user): "'\(value)' cannot be removed: \(user) reads it"
        case .maskMismatch(let name, let mask, let constant):
            "a mask of shape \(mask) does not fit '\(name)', which is \(constant)"
        }
    }
}
