import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierTensors
import Testing

struct GroupTests {
    private func groups(_ graph: Graph) throws -> PruningGroups { try Pruner(graph).groups }

    /// "name[axis]role" of every member, without the order.
    private func members(_ group: PruningGroup?) -> Set<String> {
        Set(group?.members.map { "\($0.name)[\($0.axis.axis)] \($0.role?.rawValue ?? "")" } ?? [])
    }

    @Test func chainCouplesALayerWithItsSuccessor() throws {
        let groups = try groups(Network.chain())
        #expect(groups.open.map(\.id) == ["conv1.weight", "conv2.weight"])
        let first = try #require(groups["conv1.weight"])
        #expect(first.size == 8)
        #expect(
            members(first) == [
                "conv1.weight[0] producer", "conv1.bias[0] affine", "conv2.weight[1] consumer",
            ])
        let second = try #require(groups["conv2.weight"])
        #expect(
            members(second) == [
                "conv2.weight[0] producer", "conv2.bias[0] affine", "fc.weight[1] consumer",
            ])
        // Channel 2 of 4x4 positions is elements 32..<48 of the flattened vector.
        let slice = try #require(second.unit(2).slices.first { $0.role == .consumer })
        #expect(slice.indices == Array(32..<48))
        let frozen = groups.all.filter { $0.frozen != nil }
        #expect(frozen.map(\.id) == ["conv1.weight (inputs)", "fc.weight"])
        #expect(frozen.map { $0.frozen?.kind } == [.graphInput, .graphOutput])
    }

    @Test func identityResidualTiesBothProducers() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        let inner = network.relu(network.convolution("a", stem, inputs: 6, outputs: 4))
        let sum = network.add(stem, network.convolution("b", inner, inputs: 4, outputs: 6))
        let head = network.linear("fc", network.flatten(sum), inputs: 96, outputs: 2)
        let groups = try groups(try network.finish(head))
        #expect(groups.open.map(\.id) == ["stem.weight", "a.weight"])
        #expect(
            members(groups["stem.weight"]) == [
                "stem.weight[0] producer", "stem.bias[0] affine", "a.weight[1] consumer",
                "b.weight[0] producer",
                "b.bias[0] affine", "fc.weight[1] consumer",
            ])
    }

    @Test func projectionResidualLeavesTheStemFree() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        let inner = network.convolution("a", stem, inputs: 6, outputs: 8)
        let shortcut = network.convolution("project", stem, inputs: 6, outputs: 8, kernel: 1)
        let sum = network.normalization("norm", network.add(inner, shortcut), channels: 8)
        let groups = try groups(try network.finish(network.convolution("last", sum, inputs: 8, outputs: 2)))
        #expect(groups.open.map(\.id) == ["stem.weight", "a.weight"])
        #expect(
            members(groups["stem.weight"]) == [
                "stem.weight[0] producer", "stem.bias[0] affine", "a.weight[1] consumer",
                "project.weight[1] consumer",
            ])
        #expect(
            members(groups["a.weight"]) == [
                "a.weight[0] producer", "a.bias[0] affine", "project.weight[0] producer",
                "project.bias[0] affine", "norm.scale[0] scale", "norm.shift[0] affine",
                "norm.mean[0] affine",
                "norm.variance[0] affine", "last.weight[1] consumer",
            ])
    }

    @Test func concatenationKeepsItsPartsApart() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let left = network.convolution("left", x, inputs: 3, outputs: 4)
        let right = network.convolution("right", x, inputs: 3, outputs: 5)
        let joined = network.concatenation([left, right, x])
        let last = network.convolution("last", joined, inputs: 12, outputs: 2)
        let groups = try groups(try network.finish(last))
        #expect(groups.open.map(\.id) == ["left.weight", "right.weight"])
        func consumed(_ id: String) -> [Int]? {
            groups[id]?.unit(1).slices.first { $0.role == .consumer }?.indices
        }
        #expect(consumed("left.weight") == [1])
        #expect(consumed("right.weight") == [5])
        // What comes straight from the input is frozen, and only that.
        let frozen = groups.groups(on: try axis("last.weight", 1, groups)).filter { $0.frozen != nil }
        #expect(frozen.map(\.size) == [3])
        #expect(frozen.first?.frozen?.kind == .graphInput)
    }

    @Test func splitMakesTwoGroupsOfOneLayer() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 10)
        let parts = network.split(stem, sizes: [4, 6])
        let left = network.convolution("left", parts[0], inputs: 4, outputs: 2)
        let right = network.convolution("right", parts[1], inputs: 6, outputs: 2)
        let groups = try groups(try network.finish(left, right))
        #expect(groups.open.map(\.id) == ["stem.weight", "stem.weight/2"])
        #expect(groups.open.map(\.size) == [4, 6])
        #expect(members(groups["stem.weight/2"]).contains("right.weight[1] consumer"))
        #expect(groups["stem.weight/2"]?.unit(0).slices.first?.indices == [4])
    }

    @Test func depthwiseSeparableIsOneGroup() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        let depthwise = network.convolution("depthwise", stem, inputs: 6, outputs: 6, groups: 6)
        let point = network.convolution("point", depthwise, inputs: 6, outputs: 2, kernel: 1)
        let groups = try groups(try network.finish(point))
        #expect(groups.open.map(\.id) == ["stem.weight"])
        #expect(
            members(groups["stem.weight"]) == [
                "stem.weight[0] producer", "stem.bias[0] affine", "depthwise.weight[0] producer",
                "depthwise.bias[0] affine", "point.weight[1] consumer",
            ])
    }

    @Test func groupedConvolutionCutsAllItsGroupsAlike() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        let grouped = network.convolution("grouped", stem, inputs: 6, outputs: 8, groups: 2)
        let groups = try groups(
            try network.finish(network.convolution("last", grouped, inputs: 8, outputs: 2)))
        #expect(groups["stem.weight"]?.size == 3)
        #expect(groups["stem.weight"]?.unit(1).slices.first?.indices == [1, 4])
        #expect(groups["grouped.weight"]?.size == 4)
        #expect(groups["grouped.weight"]?.unit(1).slices.first?.indices == [1, 5])
    }

    @Test func sharedWeightTiesBothUses() throws {
        var network = Network()
        let x = network.input("x", [.symbolic("N"), .fixed(4)])
        let start = network.linear("start", x, inputs: 4, outputs: 6)
        let shared = network.weight("shared", [6, 6])
        let once = network.builder.node("MatMul", name: "once", inputs: [start, shared])
        let twice = network.builder.node("MatMul", name: "twice", inputs: [network.relu(once), shared])
        let groups = try groups(try network.finish(network.linear("end", twice, inputs: 6, outputs: 2)))
        // Applied twice, the outputs of the weight are its own inputs: row i and column i go together.
        #expect(groups.open.map(\.size) == [6])
        let unit = try #require(groups.open.first?.unit(3))
        #expect(unit.slices.filter { groups.open[0].members.map(\.axis.value).contains($0.value) }.count == 5)
        #expect(unit.slices.allSatisfy { $0.indices == [3] })
    }

    @Test func squeezeAndExcitationFollowsItsChannels() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let stem = network.convolution("stem", x, inputs: 3, outputs: 6)
        let excited = network.excitation("se", stem, channels: 6, squeezed: 3)
        let last = network.convolution("last", excited, inputs: 6, outputs: 2)
        let groups = try groups(try network.finish(last))
        #expect(groups.open.map(\.id) == ["stem.weight", "se.down.weight"])
        #expect(
            members(groups["stem.weight"]) == [
                "stem.weight[0] producer", "stem.bias[0] affine", "se.down.weight[1] consumer",
                "se.up.weight[0] producer", "se.up.bias[0] affine", "last.weight[1] consumer",
            ])
    }

    @Test func opaqueNodeFreezesWhatItTouchesAndNoMore() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let first = network.convolution("first", x, inputs: 3, outputs: 6)
        let second = network.convolution("second", first, inputs: 6, outputs: 5)
        let strange = network.builder.value(
            "strange_output", type: ValueType(dtype: .float64, shape: [1, 5, 4, 4]))
        network.builder.add(
            "Mystery", domain: "com.example", name: "strange", inputs: [second], outputs: [strange])
        let third = network.convolution("third", strange, inputs: 5, outputs: 4)
        let groups = try groups(
            try network.finish(network.convolution("last", third, inputs: 4, outputs: 2)))
        #expect(groups.open.map(\.id) == ["first.weight", "third.weight"])
        #expect(groups["second.weight"]?.frozen?.kind == .opaqueNode)
        #expect(groups["second.weight"]?.frozen?.message.contains("strange") == true)
        #expect(groups["third.weight (inputs)"]?.frozen?.kind == .opaqueNode)
    }

    @Test func capturedWeightIsFrozen() throws {
        var network = Network()
        let x = network.image(channels: 3, size: 4)
        let first = network.convolution("first", x, inputs: 3, outputs: 6)
        let last = network.convolution("last", first, inputs: 6, outputs: 2)
        let weight = try #require(network.builder.graph.value(named: "first.weight"))
        let output = network.builder.value("branch")
        var node = Node(
            id: network.builder.nextNodeID, name: "branching",
            operatorName: OperatorName("Mystery", domain: "d"),
            inputs: [], outputs: [output])
        node.capturedValues = [weight.id]
        network.builder.add(node)
        let groups = try groups(try network.finish(last, output))
        #expect(groups["first.weight"]?.frozen?.kind == .opaqueNode)
    }

    @Test func mixingAlongAnAxisFreezesIt() throws {
        var network = Network()
        let x = network.input("x", [.symbolic("N"), .fixed(4)])
        let hidden = network.linear("hidden", x, inputs: 4, outputs: 6)
        let soft = network.builder.node("Softmax", name: "soft", inputs: [hidden])
        let groups = try groups(try network.finish(network.linear("end", soft, inputs: 6, outputs: 2)))
        #expect(groups["hidden.weight"]?.frozen != nil)
        #expect(groups["hidden.weight"]?.frozen?.message.contains("soft") == true)
    }

    @Test func extentUsedAsANumberFreezesTheAxis() throws {
        var network = Network()
        let x = network.input("x", [.symbolic("N"), .fixed(4)])
        let hidden = network.linear("hidden", x, inputs: 4, outputs: 6)
        let shape = network.builder.node("Shape", name: "extents", inputs: [hidden])
        let number = network.builder.node(
            "Cast", name: "number", inputs: [shape], attributes: ["to": .int(11)])
        let groups = try groups(
            try network.finish(network.linear("end", hidden, inputs: 6, outputs: 2), number))
        #expect(groups["hidden.weight"]?.frozen?.kind == .measured)
    }

    @Test func giantAxesCostNothing() throws {
        var network = Network()
        let x = network.input("x", [.fixed(1 << 30), .fixed(4)])
        let hidden = network.linear("hidden", x, inputs: 4, outputs: 6)
        let groups = try groups(try network.finish(network.linear("end", hidden, inputs: 6, outputs: 2)))
        #expect(groups.open.map(\.id) == ["hidden.weight"])
    }

    /// Wide and deep: 200 layers of 256 coupled channels, which must not be quadratic in anything.
    @Test func deepResidualNetworkIsOneGroup() throws {
        var network = Network(dtype: .float32)
        let x = network.input("x", [.symbolic("N"), .fixed(4)])
        var value = network.linear("stem", x, inputs: 4, outputs: 256)
        let small = network.weight("small", [8, 256])
        for layer in 0..<100 {
            let down = network.linear("down\(layer)", value, inputs: 256, outputs: 8)
            value = network.add(value, network.builder.node("MatMul", inputs: [network.relu(down), small]))
        }
        let groups = try groups(try network.finish(network.linear("end", value, inputs: 256, outputs: 2)))
        #expect(groups.open.map(\.size) == [256, 8])
        #expect(groups["stem.weight"]?.members.count == 104)
    }

    private func axis(_ name: String, _ axis: Int, _ groups: PruningGroups) throws -> ValueAxis {
        try #require(groups.all.flatMap(\.members).first { $0.name == name && $0.axis.axis == axis }).axis
    }
}
