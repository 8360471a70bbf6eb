import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport
import Testing

/// What the conformance suite cannot know of operators that move data: hostile numbers, targets computed in the
/// graph, layouts that are kept.
struct MovementOperatorsTests {
    private static func build(
        _ type: String, _ attributes: [String: Attribute] = [:], opset: Int = 17
    ) throws -> any Operator {
        let node = Node(
            id: NodeID(index: 0), name: "", operatorName: OperatorName(type), inputs: [], outputs: [],
            attributes: attributes)
        return try Catalog.resolve(node, opsetVersion: opset).get()
    }

    private static func integers(_ values: [Int64], isDerived: Bool = false) -> ValueFacts {
        var facts = ValueFacts(constant: Tensor(shape: [values.count], scalars: values))
        facts.isDerived = isDerived
        return facts
    }

    private static func real(_ shape: Shape) -> ValueFacts { ValueFacts(dtype: .float32, shape: shape) }

    // MARK: Hostile files

    struct Refusal: Sendable, CustomTestStringConvertible {
        let type: String
        var attributes: [String: Attribute] = [:]
        let shape: Shape
        var operands: [[Int64]] = []
        var outputs = 1
        var testDescription: String { "\(type) \(attributes) of \(shape) with \(operands)" }
    }

    @Test(arguments: [
        Refusal(type: "Concat", attributes: ["axis": .int(.min)], shape: [2]),
        Refusal(type: "Concat", attributes: ["axis": .int(2)], shape: [2, 2]),
        Refusal(type: "Split", attributes: ["axis": .int(0)], shape: [3], outputs: 2),
        Refusal(type: "Split", shape: [3], operands: [[.max, .max]], outputs: 2),
        Refusal(type: "Split", shape: [3], operands: [[4, -1]], outputs: 2),
        Refusal(type: "Slice", shape: [3], operands: [[0], [1], [.min]]),
        Refusal(type: "Slice", shape: [3], operands: [[0], [1], [0], [0]]),
        Refusal(type: "Slice", shape: [3], operands: [[0, 0], [1, 1], [0, -1]]),
        Refusal(type: "Slice", shape: [3], operands: [[0], [1, 1]]),
        Refusal(type: "Flatten", attributes: ["axis": .int(3)], shape: [2, 2]),
        Refusal(type: "Flatten", shape: [1 << 40, 1 << 40]),
        Refusal(type: "Reshape", shape: [4], operands: [[.max, .max]]),
        Refusal(type: "Reshape", shape: [4], operands: [[-1, -1]]),
        Refusal(type: "Reshape", shape: [4], operands: [[3, -1]]),
        Refusal(type: "Reshape", shape: [4], operands: [[-2]]),
        Refusal(type: "Reshape", shape: [4], operands: [[4, 0]]),
        Refusal(type: "Reshape", shape: [0], operands: [[0, -1]]),
        Refusal(type: "Squeeze", shape: [2, 1], operands: [[0]]),
        Refusal(type: "Squeeze", shape: [2, 1], operands: [[1, -1]]),
        Refusal(type: "Unsqueeze", shape: [2], operands: [[0, 0]]),
        Refusal(type: "Unsqueeze", shape: [2], operands: [[.max]]),
        Refusal(type: "Transpose", attributes: ["perm": .ints([0, 0])], shape: [2, 2]),
        Refusal(type: "Transpose", attributes: ["perm": .ints([0])], shape: [2, 2]),
        Refusal(type: "Pad", shape: [2], operands: [[.max, .max]]),
        Refusal(type: "Pad", shape: [2], operands: [[-3, 1]]),
        Refusal(type: "Pad", shape: [2], operands: [[1]]),
        Refusal(type: "Pad", attributes: ["mode": .text("reflect")], shape: [2], operands: [[2, 0]]),
        Refusal(type: "Expand", shape: [2], operands: [[-1]]),
        Refusal(type: "Expand", shape: [2], operands: [[3]]),
        Refusal(type: "Tile", shape: [4], operands: [[.max]]),
        Refusal(type: "Tile", shape: [4], operands: [[-1]]),
    ])
    func impossibleRequestsAreRefused(_ refusal: Refusal) throws {
        let operation = try Self.build(refusal.type, refusal.attributes)
        let inputs = OperatorInputs(
            [Self.real(refusal.shape)] + refusal.operands.map { Self.integers($0) },
            outputCount: refusal.outputs)
        #expect(throws: OperatorError.self) { try operation.inferOutputs(inputs) }
    }

    @Test func constantOfShapeRefusesImpossibleShapes() throws {
        let operation = try Self.build("ConstantOfShape")
        for extents in [[-1], [.max, .max], [1 << 40, 1 << 40, 0]] as [[Int64]] {
            #expect(throws: OperatorError.self) {
                try operation.inferOutputs(OperatorInputs([Self.integers(extents)]))
            }
        }
    }

    @Test func operandsThatDependOnTheInputAreRefused() throws {
        let inputs = OperatorInputs([Self.real([4]), ValueFacts(dtype: .int64, shape: [2])])
        for type in ["Reshape", "Expand", "Tile"] {
            #expect(throws: OperatorError.inputNotConstant(1)) {
                try Self.build(type).inferOutputs(inputs)
            }
        }
    }

    @Test(arguments: [Int64(3), -4])
    func gatherReportsIndicesOutOfRange(index: Int64) throws {
        let operation = try #require(try Self.build("Gather") as? any Lowering)
        let inputs: [Tensor?] = [
            Tensor(shape: [3, 2], scalars: [1, 2, 3, 4, 5, 6] as [Float]),
            Tensor(shape: [1], scalars: [index]),
        ]
        let facts = [Self.real([3, 2]), ValueFacts(dtype: .int64, shape: [1])]
        let outputs = try operation.inferOutputs(OperatorInputs(facts))
        let kernel = try operation.lower(
            LoweringContext(
                signature: Signature(inputs: facts, outputs: outputs), inputLayouts: [.plain, .plain],
                phase: .inference, threads: 1))
        #expect(throws: OperatorError.self) { try KernelRunner(kernel).run(inputs, outputs: outputs) }
        #expect(throws: OperatorError.self) { try operation.evaluate(inputs, outputs: outputs).get() }
    }

    // MARK: Cuts

    private static func links(
        _ type: String, _ facts: [ValueFacts], _ attributes: [String: Attribute] = [:]
    ) throws -> (links: AxisLinks, operation: any AxisLinking, signature: Signature) {
        let operation = try #require(try build(type, attributes) as? any AxisLinking)
        let signature = Signature(inputs: facts, outputs: try operation.inferOutputs(OperatorInputs(facts)))
        return (operation.axisLinks(signature), operation, signature)
    }

    /// What exporters write for `x.view(x.size(0), -1)`: the target is computed, but leaves open what a cut changes.
    @Test func computedReshapeTargetsAllowCutsOfWhatTheyLeaveOpen() throws {
        let (links, operation, signature) = try Self.links(
            "Reshape", [Self.real([1, 4, 2, 2]), Self.integers([1, -1], isDerived: true)])
        let channels = links.links.filter { $0.from == .input(0, axis: 1) }
        #expect(channels.map(\.to) == [.output(0, axis: 1)])
        #expect(channels.map(\.map) == [.spread(outer: 1, inner: 4)])
        let cut = AxisCut(kept: [
            .input(0, axis: 1): [0, 2], .output(0, axis: 1): Array(0..<4) + Array(8..<12),
        ])
        #expect(try operation.resized(by: cut, signature: signature).constants.isEmpty)
    }

    @Test func computedReshapeTargetsFreezeWhatTheyName() throws {
        let (links, _, _) = try Self.links(
            "Reshape", [Self.real([1, 4, 2, 2]), Self.integers([1, 16], isDerived: true)])
        #expect(!links.links.contains { $0.from == .input(0, axis: 1) })
        #expect(links.frozen.contains { $0.axis == .output(0, axis: 1) })
    }

    @Test func computedSizesAndBoundsFreezeTheirAxes() throws {
        let derived = Self.integers([1, 3], isDerived: true)
        let slice = try Self.links(
            "Slice", [Self.real([2, 6]), Self.integers([0, 1], isDerived: true), derived]
        ).links
        #expect(slice.frozen.contains { $0.axis == .output(0, axis: 1) })
        let expand = try Self.links("Expand", [Self.real([1, 3]), derived]).links
        #expect(expand.frozen.contains { $0.axis == .output(0, axis: 1) })
    }

    @Test func flatteningLinksTheAxisThatLooksLikeChannels() throws {
        let first = try Self.links("Flatten", [Self.real([2, 5, 4, 4])]).links
        #expect(
            first.links.contains { $0.from == .input(0, axis: 1) && $0.map == .spread(outer: 1, inner: 16) })
        let last = try Self.links("Flatten", [Self.real([2, 4, 4, 5])]).links
        #expect(
            last.links.contains { $0.from == .input(0, axis: 3) && $0.map == .spread(outer: 16, inner: 1) })
    }

    @Test func anEqualSplitThatACutMakesUnequalGetsSizes() throws {
        let operation = try #require(
            try Self.build("Split", ["axis": .int(0), "num_outputs": .int(2)], opset: 18) as? any AxisLinking)
        let facts = [Self.real([4])]
        let signature = Signature(
            inputs: facts, outputs: try operation.inferOutputs(OperatorInputs(facts, outputCount: 2)))
        let cut = AxisCut(kept: [.input(0, axis: 0): [0, 2, 3]])
        #expect(try operation.resized(by: cut, signature: signature).constants.isEmpty == false)
        let edits = try operation.resized(
            by: AxisCut(kept: [.input(0, axis: 0): [0, 2]]), signature: signature)
        #expect(edits.constants.isEmpty)
        let uneven = try operation.resized(
            by: AxisCut(kept: [.input(0, axis: 0): [0, 2, 3]]), signature: signature)
        #expect(uneven.constants[1]?.scalars(as: Int64.self) == [1, 2])
        #expect(uneven.removedAttributes == ["num_outputs"])
        #expect(throws: OperatorError.self) {
            try operation.resized(by: AxisCut(kept: [.input(0, axis: 0): [2, 3]]), signature: signature)
        }
    }

    @Test func shapesMeasureWhatTheyAreAskedFor() throws {
        let links = try Self.links("Shape", [Self.real([2, 3, 4])], ["end": .int(1)]).links
        #expect(links.measured == [.input(0, axis: 0)])
        #expect(links.free == [.input(0, axis: 1), .input(0, axis: 2)])
    }

    // MARK: Layouts

    struct Kept: Sendable, CustomTestStringConvertible {
        let type: String
        var attributes: [String: Attribute] = [:]
        let shape: Shape
        var operands: [[Int64]] = []
        /// How many activations of that shape.
        var inputs = 1
        var parameters = 0
        var outputs = 1
        /// Whether the output has its channels last too.
        var staysLast = true
        var testDescription: String { type }
    }

    /// Between convolutions nothing may fall back to row-major order, or it would be reordered at each step.
    @Test(arguments: [
        Kept(type: "MaxPool", attributes: ["kernel_shape": .ints([2, 2])], shape: [2, 3, 4, 4]),
        Kept(type: "AveragePool", attributes: ["kernel_shape": .ints([2, 2])], shape: [2, 3, 4, 4]),
        Kept(type: "GlobalAveragePool", shape: [2, 3, 4, 4], staysLast: false),
        Kept(type: "BatchNormalization", shape: [2, 3, 4, 4], parameters: 4),
        Kept(type: "Softmax", attributes: ["axis": .int(1)], shape: [2, 3, 4, 4]),
        Kept(
            type: "ReduceMean", attributes: ["axes": .ints([2, 3])], shape: [2, 3, 4, 4], staysLast: false),
        Kept(type: "Concat", attributes: ["axis": .int(1)], shape: [2, 3, 4, 4], inputs: 2),
        Kept(type: "Split", attributes: ["axis": .int(1)], shape: [2, 4, 4, 4], outputs: 2),
        Kept(type: "Slice", shape: [2, 4, 4, 4], operands: [[1], [3], [1]]),
        Kept(type: "Pad", shape: [2, 3, 4, 4], operands: [[0, 0, 1, 1, 0, 0, 1, 1]]),
        Kept(
            type: "Transpose", attributes: ["perm": .ints([0, 2, 3, 1])], shape: [2, 3, 4, 4],
            staysLast: false),
    ])
    func channelsStayLast(_ kept: Kept) throws {
        let operation = try #require(try Self.build(kept.type, kept.attributes) as? any Lowering)
        let last = try Layout.channelsLast(kept.shape)
        let facts =
            (0..<kept.inputs).map { _ in Self.real(kept.shape) }
            + (0..<kept.parameters).map { _ in Self.real([kept.shape[1]]) }
            + kept.operands.map { Self.integers($0) }
        let outputs = try operation.inferOutputs(OperatorInputs(facts, outputCount: kept.outputs))
        let kernel = try operation.lower(
            LoweringContext(
                signature: Signature(inputs: facts, outputs: outputs),
                inputLayouts: facts.indices.map { $0 < kept.inputs ? last : .plain },
                phase: .training(frozenNormalization: false, seed: 1), threads: 1))
        #expect(kernel.inputLayouts.prefix(kept.inputs).allSatisfy { $0 == last })
        for (layout, facts) in zip(kernel.outputLayouts, outputs) {
            #expect(layout == (kept.staysLast ? try .channelsLast(facts.shape) : .plain))
        }
    }
}
