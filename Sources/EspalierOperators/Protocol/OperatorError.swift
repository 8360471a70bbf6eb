/// What an operator finds wrong with its node. Whoever asked adds the node's name and the file.
package enum OperatorError: Error, Sendable, Equatable {
    case missingAttribute(String)
    case attribute(String, problem: String)
    case missingInput(Int)
    case inputNotConstant(Int)
    case input(Int, problem: String)
    case shapes(String)
    case unsupported(String)
    case kernel(String)
}

extension OperatorError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missingAttribute(let name): "attribute '\(name)' is required but missing"
        case .attribute(let name, let problem): "attribute '\(name)': \(problem)"
        case .missingInput(let port): "input \(port) is required but left out"
        case .inputNotConstant(let port):
            "input \(port) must be known before the network runs, but depends on the network's inputs"
        case .input(let port, let problem): "input \(port): \(problem)"
        case .shapes(let problem): problem
        case .unsupported(let what): "not supported: \(what)"
        case .kernel(let what): "kernel: \(what)"
        }
    }
}
