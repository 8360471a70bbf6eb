extension Graph {
    /// Sorts the nodes topologically (keeping their order where it is already right) and checks every invariant.
    ///
    /// - Throws: ``GraphError``.
    package mutating func sortAndCheck() throws(GraphError) {
        try checkNames()
        try checkNodes()
        try checkProducers()
        try checkUses()
        try sortTopologically()
    }

    private func checkNames() throws(GraphError) {
        var seen: Set<String> = []
        for value in values.values where !seen.insert(value.name).inserted {
            throw .duplicateName(value.name)
        }
    }

    private func checkNodes() throws(GraphError) {
        var seen: Set<NodeID> = []
        for node in nodes where !seen.insert(node.id).inserted { throw .duplicateNode(label: node.label) }
    }

    private func checkProducers() throws(GraphError) {
        var produced = Set<ValueID>()
        func record(_ id: ValueID) throws(GraphError) {
            guard values[id] != nil else { throw .unknownValue(id) }
            guard produced.insert(id).inserted else { throw .severalProducers(value: name(of: id)) }
        }
        for id in inputs { try record(id) }
        for id in constants.keys { try record(id) }
        for id in opaqueConstants.keys { try record(id) }
        for node in nodes {
            for case let output? in node.outputs { try record(output) }
        }
    }

    private func checkUses() throws(GraphError) {
        var produced = Set(inputs).union(constants.keys).union(opaqueConstants.keys)
        for node in nodes {
            for case let output? in node.outputs { produced.insert(output) }
        }
        for node in nodes {
            for value in node.dependencies where !produced.contains(value) {
                throw .undefinedValue(name: name(of: value), usedBy: "node '\(node.label)'")
            }
        }
        for output in outputs where !produced.contains(output) {
            throw .undefinedValue(name: name(of: output), usedBy: "the graph's output list")
        }
    }

    /// Kahn's algorithm with the current position as priority, in time linear in edges for sorted input.
    private mutating func sortTopologically() throws(GraphError) {
        var waiting = [Int](repeating: 0, count: nodes.count)
        var readers: [ValueID: [Int]] = [:]
        let madeByNode = Set(nodes.flatMap { $0.outputs.compactMap { $0 } })
        for (position, node) in nodes.enumerated() {
            let needed = Set(node.dependencies).intersection(madeByNode)
            waiting[position] = needed.count
            for value in needed { readers[value, default: []].append(position) }
        }
        var ready = waiting.indices.filter { waiting[$0] == 0 }
        var order: [Int] = []
        var next = 0
        while next < ready.count {
            let position = ready[next]
            next += 1
            order.append(position)
            var released: [Int] = []
            for case let output? in nodes[position].outputs {
                for reader in readers[output] ?? [] {
                    waiting[reader] -= 1
                    if waiting[reader] == 0 { released.append(reader) }
                }
            }
            ready.append(contentsOf: released.sorted())
        }
        guard order.count == nodes.count else {
            let stuck = waiting.indices.filter { waiting[$0] > 0 }.map { nodes[$0].label }
            throw .cycle(nodes: stuck)
        }
        // A list that is already in order stays as it is.
        if !isTopologicallySorted { nodes = order.map { nodes[$0] } }
    }

    private var isTopologicallySorted: Bool {
        var available = Set(inputs).union(constants.keys).union(opaqueConstants.keys)
        for node in nodes {
            guard node.dependencies.allSatisfy(available.contains) else { return false }
            available.formUnion(node.outputs.compactMap { $0 })
        }
        return true
    }
}
