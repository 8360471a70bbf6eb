package import EspalierGraphs
package import EspalierTraining

/// A network at hand.
package struct GivenNetwork: Sendable {
    package let path: String
    package let graph: Graph
    /// The network as the teacher of what becomes of it.
    package let teacher: Teacher

    package init(path: String, graph: Graph) {
        self.path = path
        self.graph = graph
        teacher = Teacher(graph)
    }
}
