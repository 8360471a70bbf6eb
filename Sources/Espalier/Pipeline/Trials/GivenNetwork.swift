package import EspalierGraphs

/// A network at hand.
package struct GivenNetwork: Sendable {
    package let path: String
    package let graph: Graph

    package init(path: String, graph: Graph) {
        self.path = path
        self.graph = graph
    }
}
