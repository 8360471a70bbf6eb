package import EspalierGraphs
import EspalierOperators
package import EspalierTensors

/// Runs a network by its operators' references: slow and right, for checks and tests.
package enum ReferenceRunner {
    /// The outputs for the given inputs, in the graph's order.
    ///
    /// - Throws: ``PruningError/resolution(_:)``, ``PruningError/node(_:_:)``; ``PruningError/surgery(_:)``
    ///   if an input is missing or a node is not understood.
    package static func run(_ graph: Graph, inputs: [ValueID: Tensor]) throws(PruningError) -> [Tensor] {
        let values = try values(of: graph, inputs: inputs)
        var result: [Tensor] = []
        for output in graph.outputs {
            guard let tensor = values[output] else {
                throw .surgery("nothing gave the output '\(graph.name(of: output))' a value")
            }
            result.append(tensor)
        }
        return result
    }

    /// All values of a network for the given inputs, constants included.
    ///
    /// - Parameter inDouble: compute, and keep, all real numbers in double precision whatever the graph declares.
    /// - Throws: as ``run(_:inputs:)``.
    package static func values(
        of graph: Graph, inputs: [ValueID: Tensor], inDouble: Bool = false
    ) throws(PruningError) -> [ValueID: Tensor] {
        let resolved: ResolvedGraph
        do throws(ResolutionError) {
            resolved = try ResolvedGraph(graph, inputShapes: inputs.mapValues(\.shape))
        } catch {
            throw .resolution(error)
        }
        var values = graph.constants
        values.merge(inputs) { $1 }
        if inDouble {
            values = values.mapValues { $0.dtype.isFloatingPoint ? $0.converted(to: .float64) : $0 }
        }
        for node in graph.nodes {
            guard let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id]
            else {
                throw .surgery(
                    "node '\(node.label)' cannot be run: \(resolved.opaque[node.id]?.description ?? "")")
            }
            let arguments = node.inputs.map { $0.flatMap { values[$0] } }
            let outputs: [Tensor]
            do throws(OperatorError) {
                let facts = signature.outputs.map { facts in
                    guard inDouble, facts.dtype.isFloatingPoint else { return facts }
                    return ValueFacts(dtype: .float64, shape: facts.shape)
                }
                outputs = try operation.evaluate(arguments, outputs: facts).get()
            } catch {
                throw .node(node.label, error)
            }
            for (id, tensor) in zip(node.outputs, outputs) {
                if let id { values[id] = tensor }
            }
        }
        return values
    }
}
