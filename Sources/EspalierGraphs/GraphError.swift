/// A graph that breaks an invariant, or an edit that would.
public enum GraphError: Error, Sendable, Equatable {
    case duplicateName(String)
    case undefinedValue(name: String, usedBy: String)
    case severalProducers(value: String)
    case cycle(nodes: [String])
    case unknownNode(NodeID)
    case unknownValue(ValueID)
    case stillUsed(value: String, by: String)
}

extension GraphError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .duplicateName(let name): "two values are called '\(name)'"
        case .undefinedValue(let name, let user):
            "\(user) reads '\(name)', which nothing produces"
        case .severalProducers(let value): "more than one node, input or initializer produces '\(value)'"
        case .cycle(let nodes):
            "nodes depend on each other in a cycle: \(nodes.prefix(6).joined(separator: ", "))"
        case .unknownNode(let id): "no node \(id.index) in this graph"
        case .unknownValue(let id): "no value \(id.index) in this graph"
        case .stillUsed(let value, let user): "'\(value)' cannot be removed: \(user) reads it"
        }
    }
}
