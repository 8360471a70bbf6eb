import EspalierOperators
import EspalierTensors
import TestSupport

extension PreparedCase {
    /// The reference gives what inference promised, and the same in both precisions.
    func checkReference() throws(OperatorError) -> [String] {
        var problems: [String] = []
        let single = try reference(Float.self)
        let double = try reference(Double.self)
        guard single.count == signature.outputs.count, signature.outputs.count == source.outputCount else {
            return [
                "inference gives \(signature.outputs.count) outputs, the reference \(single.count), "
                    + "the case says \(source.outputCount)"
            ]
        }
        for (port, facts) in signature.outputs.enumerated() {
            if single[port].shape != facts.shape {
                problems.append("output \(port): inferred \(facts.shape), computed \(single[port].shape)")
                continue
            }
            let fits =
                switch single[port] {
                case .real: facts.dtype.isFloatingPoint
                case .boolean: facts.dtype == .bool
                case .integer, .unsigned: !facts.dtype.isFloatingPoint && facts.dtype != .bool
                }
            if !fits { problems.append("output \(port): inferred \(facts.dtype), computed another kind") }
            let wide = double[port].tensor(as: .float64)
            if let problem = difference(
                single[port].tensor(as: .float64), from: wide, source.tolerances.forward)
            {
                problems.append("output \(port) in Float against Double: \(problem)")
            }
            if let constant = facts.constant,
                let problem = difference(constant, from: double[port].tensor(as: facts.dtype), .exact)
            {
                problems.append("output \(port), inferred as a constant: \(problem)")
            }
        }
        return problems
    }
}
