import EspalierGraphs
import EspalierOperators

/// Why a network could not be planned or run.
public enum ExecutionError: Error, Sendable {
    /// A node of a kind this software does not know stands on the way to an output.
    case opaqueNode(name: String, reason: String)
    /// The gradient would have to pass a node that has none.
    case notDifferentiable(name: String, operator: String, reason: String)
    /// A node whose kernel was refused, or which failed while running.
    case node(name: String, operator: String, reason: String)
    /// What a node makes, or an input, takes more memory than the machine has, alone or with what is needed beside it.
    case insufficientMemory(name: String, reason: String)
    /// A name that is none of the model's inputs.
    case unknownInput(name: String, known: [String])
    /// Nothing was given for an input.
    case missingInput(name: String)
    /// What was given for an input has another shape or element type.
    case inputMismatch(name: String, problem: String)
    /// A name that is none of the values that are computed.
    case unknownOutput(name: String, known: [String])
    /// An output is of another element type than was asked for.
    case outputMismatch(name: String, problem: String)
    /// A shape that the model leaves open and that was not given.
    case unresolved(String)
    /// What was asked for makes no sense, such as less than one sample.
    case invalidOption(String)
    /// The system gives no thread, or the network could not be simplified.
    case internalFailure(String)
}

extension ExecutionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .opaqueNode(let name, let reason):
            "node '\(name)' cannot be executed: \(reason)"
        case .notDifferentiable(let name, let type, let reason):
            "node '\(name)' (\(type)) has no gradient: \(reason)"
        case .node(let name, let type, let reason): "node '\(name)' (\(type)): \(reason)"
        case .insufficientMemory(let name, let reason): "'\(name)': \(reason)"
        case .unknownInput(let name, let known):
            "the model has no input '\(name)'; its inputs are \(known.joined(separator: ", "))"
        case .missingInput(let name): "input '\(name)' was not given"
        case .inputMismatch(let name, let problem): "input '\(name)': \(problem)"
        case .unknownOutput(let name, let known):
            "no value '\(name)' is computed; the outputs are \(known.joined(separator: ", "))"
        case .outputMismatch(let name, let problem): "output '\(name)': \(problem)"
        case .unresolved(let what), .invalidOption(let what), .internalFailure(let what): what
        }
    }
}

extension ExecutionError {
    init(_ error: ResolutionError) {
        self = .node(name: error.node, operator: "\(error.operatorName)", reason: "\(error.reason)")
    }

    init(_ node: Node, _ reason: OperatorError) {
        self = .node(name: node.label, operator: "\(node.operatorName)", reason: "\(reason)")
    }
}
