/// The names that concern the outer graph in the subgraphs of one node.
struct SubgraphNames {
    /// Names that subgraphs read but do not define, in the order of their first use with attributes in
    /// the order of their names: values of the outer graph.
    private(set) var captured: [String] = []
    /// Names that subgraphs define: fresh values of the outer graph must not be called so.
    private(set) var defined: Set<String> = []
    private var seen: Set<String> = []
    /// The names visible at the place being walked that subgraphs define, with the number of scopes that do.
    private var visible: [String: Int] = [:]

    init(of node: NodeProto) {
        // Not in the file's order, which means nothing.
        for attribute in node.attribute.sorted(by: { $0.name < $1.name }) { walk(attribute) }
    }

    private mutating func walk(_ attribute: AttributeProto) {
        if attribute.hasG { walk(attribute.g) }
        for graph in attribute.graphs { walk(graph) }
    }

    private mutating func walk(_ graph: GraphProto) {
        var names = Set(graph.input.map(\.name))
        names.formUnion(graph.initializer.map(\.name))
        names.formUnion(graph.sparseInitializer.map(\.values.name))
        for node in graph.node { names.formUnion(node.output) }
        defined.formUnion(names)
        for name in names { visible[name, default: 0] += 1 }
        for node in graph.node {
            for name in node.input { read(name) }
            for attribute in node.attribute { walk(attribute) }
        }
        for output in graph.output { read(output.name) }
        for name in names { visible[name, default: 0] -= 1 }
    }

    private mutating func read(_ name: String) {
        guard !name.isEmpty, visible[name, default: 0] == 0, seen.insert(name).inserted else { return }
        captured.append(name)
    }
}
