import EspalierGraphs
import EspalierTensors
import Testing

struct GraphTests {
    private static func chain() throws -> (graph: Graph, x: ValueID, middle: ValueID) {
        var builder = GraphBuilder(name: "chain")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 2]))
        let middle = builder.node("Relu", name: "first", inputs: [x])
        let end = builder.node("Neg", name: "second", inputs: [middle])
        return (try builder.finish(outputs: [end]), x, middle)
    }

    @Test func nodesAreSortedTopologically() throws {
        var builder = GraphBuilder(name: "reversed")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1]))
        let middle = builder.value("middle")
        let end = builder.value("end")
        builder.add("Neg", name: "second", inputs: [middle], outputs: [end])
        builder.add("Relu", name: "first", inputs: [x], outputs: [middle])
        let graph = try builder.finish(outputs: [end])
        #expect(graph.nodes.map(\.name) == ["first", "second"])
    }

    @Test func cyclesAreRefused() {
        var builder = GraphBuilder(name: "cycle")
        let left = builder.value("left")
        let right = builder.value("right")
        builder.add("Neg", name: "a", inputs: [right], outputs: [left])
        builder.add("Neg", name: "b", inputs: [left], outputs: [right])
        #expect(throws: GraphError.cycle(nodes: ["a", "b"])) { try builder.finish(outputs: [left]) }
    }

    @Test func undefinedAndDoublyProducedValuesAreRefused() {
        var builder = GraphBuilder(name: "bad")
        let ghost = builder.value("ghost")
        let y = builder.value("y")
        builder.add("Neg", name: "reader", inputs: [ghost], outputs: [y])
        #expect(throws: GraphError.undefinedValue(name: "ghost", usedBy: "node 'reader'")) {
            try builder.finish(outputs: [y])
        }
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1]))
        builder.add("Neg", name: "again", inputs: [x], outputs: [y])
        builder.add("Neg", name: "ghostly", inputs: [x], outputs: [ghost])
        #expect(throws: GraphError.severalProducers(value: "y")) { try builder.finish(outputs: [y]) }
    }

    @Test func patchesBypassAndDropDeadParts() throws {
        let (graph, x, middle) = try Self.chain()
        var patch = Patch(for: graph)
        patch.append(.replaceUses(of: middle, with: x))
        let bypassed = try graph.applying(patch).removingDeadNodes()
        #expect(bypassed.nodes.map(\.name) == ["second"])
        #expect(bypassed.values[middle] == nil)
    }

    /// A copy has the identity of what it is a copy of.
    @Test func copiesOfNodesAreRefused() throws {
        let (graph, _, middle) = try Self.chain()
        var patch = Patch(for: graph)
        var copy = graph.nodes[1]
        copy.outputs = [patch.newValue("copy")]
        patch.append(.insert(copy))
        #expect(throws: GraphError.duplicateNode(label: "second")) { try graph.applying(patch) }
        patch = Patch(for: graph)
        let fresh = Node(
            id: patch.newNodeID(), name: "third", operatorName: OperatorName("Neg"), inputs: [middle],
            outputs: [patch.newValue("copy")])
        patch.append(.insert(fresh))
        #expect(try graph.applying(patch).nodes.count == 3)
    }

    @Test func masksOfOtherNetworksAreRefused() throws {
        var builder = GraphBuilder(name: "weights")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 2]))
        let weight = builder.constant("w", Tensor(shape: [2, 3], scalars: [1, 2, 3, 4, 5, 6] as [Float]))
        let y = builder.node("MatMul", inputs: [x, weight])
        let graph = try builder.finish(outputs: [y])
        let small = MaskSet([weight: Mask(keepingAll: [2, 2])])
        #expect(throws: GraphError.maskMismatch(name: "w", mask: [2, 2], constant: [2, 3])) {
            try small.applied(to: graph)
        }
        #expect(throws: GraphError.unknownValue(x)) {
            try MaskSet([x: Mask(keepingAll: [1, 2])]).applied(to: graph)
        }
        var mask = Mask(keepingAll: [2, 3])
        mask[4] = false
        let masked = try MaskSet([weight: mask]).applied(to: graph).constants[weight]
        #expect(masked?.scalars(as: Float.self) == [1, 2, 3, 4, 0, 6])
    }

    @Test func patchRefusesToRemoveWhatIsRead() throws {
        let (graph, _, middle) = try Self.chain()
        var patch = Patch(for: graph)
        patch.append(.remove(try #require(graph.producers[middle])))
        #expect(throws: GraphError.undefinedValue(name: "first_output", usedBy: "node 'second'")) {
            try graph.applying(patch)
        }
    }

    @Test func masksZeroSlices() throws {
        var mask = Mask(keepingAll: [2, 3, 2])
        mask.dropSlice(axis: 1, index: 2)
        let tensor = Tensor(shape: [2, 3, 2], scalars: (1...12).map(Float.init))
        #expect(mask.applied(to: tensor).scalars(as: Float.self) == [1, 2, 3, 4, 0, 0, 7, 8, 9, 10, 0, 0])
        #expect(mask.keptCount == 8)
        #expect(Mask(nonzeroOf: mask.applied(to: tensor)) == mask)
    }

    /// Two networks with the same weights are not the same if they compute otherwise.
    @Test func fingerprintsTellWhatIsComputed() throws {
        func graph(_ type: String, alpha: Float = 0.1, weight: Float = 2, name: String = "f") throws -> Graph
        {
            var builder = GraphBuilder(name: "network")
            let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N")]))
            let w = builder.constant("w", Tensor(shape: [1], scalars: [weight]))
            let product = builder.node("Mul", name: "product", inputs: [x, w])
            let output = builder.node(
                type, name: name, inputs: [product], attributes: ["alpha": .float(alpha)])
            return try builder.finish(outputs: [output])
        }
        let first = try graph("LeakyRelu")
        #expect(try first.fingerprint == graph("LeakyRelu").fingerprint)
        let others = try [
            graph("Elu"), graph("LeakyRelu", alpha: 0.2), graph("LeakyRelu", weight: 3),
        ].map(\.fingerprint)
        #expect(Set(others + [first.fingerprint]).count == 4)
        #expect(try graph("Elu").parameterFingerprint == first.parameterFingerprint)
    }

    /// Structure is all that says what goes where: attributes in any order and integers, but not weights.
    @Test func structuralFingerprintsOutliveTraining() throws {
        func graph(
            weight: Float = 2, axis: Int64 = 1, extents: [Int64] = [2, 3], backwards: Bool = false
        ) throws -> Graph {
            var builder = GraphBuilder(name: "network")
            let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N")]))
            let w = builder.constant("w", Tensor(shape: [1], scalars: [weight]))
            let product = builder.node("Mul", name: "product", inputs: [x, w])
            let target = builder.constant("target", Tensor(shape: [2], scalars: extents))
            let shaped = builder.node("Reshape", name: "shaped", inputs: [product, target])
            let listed: [(String, Attribute)] = [
                ("axis", .int(axis)), ("keepdims", .int(0)), ("select_last_index", .int(1)),
            ]
            var attributes: [String: Attribute] = [:]
            let ordered: [(String, Attribute)] = backwards ? listed.reversed() : listed
            for (name, value) in ordered { attributes[name] = value }
            let output = builder.node("ArgMax", name: "largest", inputs: [shaped], attributes: attributes)
            return try builder.finish(outputs: [output])
        }
        let first = try graph().structuralFingerprint
        #expect(try graph(weight: 3).structuralFingerprint == first)
        #expect(try graph(backwards: true).structuralFingerprint == first)
        let others = try [graph(axis: 0), graph(extents: [3, 2])].map(\.structuralFingerprint)
        #expect(Set(others + [first]).count == 3)
    }

    @Test func unitedMasksDropWhatEitherDrops() throws {
        let (graph, _, _) = try Self.chain()
        let (one, other) = (try #require(graph.inputs.first), try #require(graph.outputs.first))
        let left = MaskSet([one: Mask(shape: [3], kept: [true, false, true])])
        let right = MaskSet([
            one: Mask(shape: [3], kept: [true, true, false]), other: Mask(shape: [1], kept: [false]),
        ])
        let both = left.united(with: right)
        #expect(both[one]?.kept == [true, false, false] && both[other]?.kept == [false])
        #expect(both == right.united(with: left))
    }
}
