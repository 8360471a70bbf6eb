package import EspalierGraphs
package import EspalierTensors

extension ResolvedGraph {
    /// What messages call the opaque nodes, in the graph's order.
    package var opaqueLabels: [String] {
        graph.nodes.filter { opaque[$0.id] != nil }.map(\.label)
    }

    /// What this software understands of the graph, as a network that can be run: what opaque nodes give is an input
    /// of it, what they read is an output. The whole graph where nothing is opaque; without nodes and outputs where all is.
    ///
    /// - Throws: ``GraphError``.
    package func understoodPart() throws(GraphError) -> Graph {
        guard !opaque.isEmpty else { return graph }
        var patch = Patch(for: graph)
        var (given, read) = (Set<ValueID>(), Set<ValueID>())
        for node in graph.nodes where opaque[node.id] != nil {
            patch.append(.remove(node.id))
            given.formUnion(node.outputs.compactMap { $0 })
            read.formUnion(node.dependencies)
        }
        let understood = graph.nodes.filter { opaque[$0.id] == nil }
        let needed = Set(understood.flatMap(\.dependencies))
        let made = Set(understood.flatMap { $0.outputs.compactMap { $0 } })
        // What is no tensor of numbers only opaque nodes read.
        let numeric = graph.inputs.filter { graph.values[$0]?.isOpaque != true }
        patch.append(.setInputs(numeric + given.intersection(needed).sorted()))
        patch.append(
            .setOutputs(
                graph.outputs.filter(made.contains)
                    + read.intersection(made).subtracting(graph.outputs).sorted()))
        return try graph.applying(patch)
    }
}

extension Graph {
    /// The part of this graph that can be run: see ``ResolvedGraph/understoodPart()``.
    ///
    /// - Throws: ``ResolutionError`` if inputs do not fit an operator that is understood, ``GraphError``.
    package func understoodPart(inputShapes: [ValueID: Shape] = [:]) throws -> Graph {
        try ResolvedGraph(self, inputShapes: inputShapes).understoodPart()
    }
}
