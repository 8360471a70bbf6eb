package import EspalierGraphs
import EspalierTensors
import Synchronization

/// What criteria may look at: the parameters' present values and the evidence.
package struct ScoringScene: Sendable {
    package let graph: Graph
    package let evidence: Evidence
    /// How the scores of elements become that of a unit; nil for each criterion's own way.
    package let aggregation: Reduction?
    private let totals = Totals()

    package init(_ graph: Graph, evidence: Evidence = .none, aggregation: Reduction? = nil) {
        self.graph = graph
        self.evidence = evidence
        self.aggregation = aggregation
    }

    /// A floating-point constant of the network; nil if there is none of that identity.
    package func parameter(_ id: ValueID) -> ScoredParameter? {
        guard let tensor = graph.constants[id], tensor.dtype.isFloatingPoint else { return nil }
        return ScoredParameter(id: id, name: graph.name(of: id), tensor: tensor)
    }

    /// A number of the whole network that a criterion compares each parameter with; computed once, for the first parameter.
    ///
    /// - Parameter criterion: whose number it is, by its id.
    package func total(of criterion: String, _ compute: () -> Double) -> Double {
        totals.known.withLock { known in
            if let total = known[criterion] { return total }
            let total = compute()
            known[criterion] = total
            return total
        }
    }
}

private final class Totals: Sendable {
    let known = Mutex<[String: Double]>([:])
}
