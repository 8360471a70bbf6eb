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
        let resolved: ResolvedGraph
        do throws(ResolutionError) {
            resolved = try ResolvedGraph(graph, inputShapes: inputs.mapValues(\.shape))
        } catch {
            throw .resolution(error)
        }
        var values = graph.constants
        values.merge(inputs) { $1 }
        for node in graph.nodes {
            guard let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id]
            else {
                throw .surgery(
                    "node '\(node.label)' cannot be run: \(resolved.opaque[node.id]?.description ?? "")")
            }
            let arguments = node.inputs.map { $0.flatMap { values[$0] } }
            let outputs: [Tensor]
            do throws(OperatorError) {
                outputs = try operation.evaluate(arguments, outputs: signature.outputs).get()
            } catch {
                throw .node(node.label, error)
            }
            for (id, tensor) in zip(node.outputs, outputs) {
                if let id { values[id] = tensor }
            }
        }
        var result: [Tensor] = []
        for output in graph.outputs {
            guard let tensor = values[output] else {
                throw .surgery("nothing gave the output '\(graph.name(of: output))' a value")
            }
            result.append(tensor)
        }
        return result
    }
}
