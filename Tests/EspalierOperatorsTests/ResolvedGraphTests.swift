import EspalierGraphs
import EspalierOperators
import EspalierTensors
import Testing

/// What is found out of whole graphs: which nodes are understood, and what their values are.
struct ResolvedGraphTests {
    private static func real(_ dimensions: [Dimension]) -> ValueType {
        ValueType(dtype: .float32, dimensions: dimensions)
    }

    private static func real(_ shape: Shape) -> ValueType { ValueType(dtype: .float32, shape: shape) }

    private static func integers(_ values: [Int64]) -> Tensor {
        Tensor(shape: [values.count], scalars: values)
    }

    // MARK: Shape arithmetic

    /// What exporters write for `side = int(x.size(1) ** 0.5); x.view(1, side, side, 8)`.
    @Test(arguments: ["Sqrt", "Pow"])
    func extentsPassThroughRealNumbers(root: String) throws {
        var builder = GraphBuilder(name: "root")
        let x = builder.input("x", type: Self.real([1, 49, 8] as Shape))
        let shape = builder.node("Shape", inputs: [x])
        let one = builder.constant("one", Tensor(Int64(1)))
        let half = builder.constant("half", Tensor(Float(0.5)))
        let extent = builder.node("Gather", inputs: [shape, one])
        let wide = builder.node("Cast", inputs: [extent], attributes: ["to": .int(1)])
        let side = builder.node(root, inputs: root == "Pow" ? [wide, half] : [wide])
        let whole = builder.node("Cast", inputs: [side], attributes: ["to": .int(7)])
        let row = builder.node(
            "Unsqueeze", inputs: [whole, builder.constant("axes", Self.integers([0]))])
        let first = builder.constant("first", Self.integers([1]))
        let last = builder.constant("last", Self.integers([8]))
        let target = builder.node("Concat", inputs: [first, row, row, last], attributes: ["axis": .int(0)])
        let y = builder.node("Reshape", inputs: [x, target])
        let resolved = try ResolvedGraph(try builder.finish(outputs: [y, side]))
        #expect(resolved.opaque.isEmpty)
        #expect(resolved.facts[y]?.shape == [1, 7, 7, 8])
        #expect(resolved.facts[target]?.isDerived == true)
        // What is real itself is computed when the network runs.
        #expect(resolved.facts[side]?.constant?.shape == nil)
    }

    /// What nodes make of weights, however small these are, can change: they are trained and pruned.
    @Test(arguments: ["Cast", "Identity", "Neg", "Sqrt"])
    func convertedWeightsAreNotKnown(type: String) throws {
        var builder = GraphBuilder(name: "weight")
        let x = builder.input("x", type: Self.real([2] as Shape))
        let weight = builder.constant("w", Tensor(shape: [2], scalars: [1, 4] as [Float]))
        let zero = builder.constant("zero", Tensor(Float(0)))
        let converted = builder.node(
            type, inputs: [weight], attributes: type == "Cast" ? ["to": .int(1)] : [:])
        let product = builder.node("Mul", inputs: [x, converted])
        let sign = builder.node("Greater", inputs: [converted, zero])
        let resolved = try ResolvedGraph(try builder.finish(outputs: [product, sign]))
        for value in [converted, sign] {
            #expect(resolved.facts[value]?.shape == [2])
            #expect(resolved.facts[value]?.constant?.shape == nil)
        }
    }

    // MARK: Opaque nodes

    @Test(arguments: ["Reshape", "Expand", "Tile", "Pad", "Slice"])
    func operandsNotKnownInAdvanceMakeANodeOpaque(type: String) throws {
        var builder = GraphBuilder(name: "operand")
        let x = builder.input("x", type: Self.real([4] as Shape))
        let operand = builder.input("operand", type: ValueType(dtype: .int64, shape: [1]))
        let result = builder.value("result", type: Self.real([4] as Shape))
        let operands = type == "Slice" ? [x, operand, operand] : [x, operand]
        builder.add(type, name: "moving", inputs: operands, outputs: [result])
        let y = builder.node("Relu", inputs: [result])
        let resolved = try ResolvedGraph(try builder.finish(outputs: [y]))
        #expect(resolved.opaqueLabels == ["moving"])
        #expect(resolved.opaque[resolved.graph.nodes[0].id] == .inputNotConstant(1))
        // As the file declares it.
        #expect(resolved.facts[y]?.shape == [4])
    }

    /// A node that nobody knows makes the target of a reshape, for which the file declares no shape.
    @Test func operandsOfOpaqueNodesMakeANodeOpaque() throws {
        var builder = GraphBuilder(name: "product")
        let x = builder.input("x", type: Self.real([.symbolic("N"), .fixed(4), .fixed(4)]))
        let shape = builder.node("Shape", inputs: [x])
        let count = builder.value("count", type: ValueType(dtype: .int64, shape: [1]))
        builder.add("ReduceProd", name: "product", inputs: [shape], outputs: [count])
        let before = builder.node("Relu", name: "before", inputs: [x])
        let flat = builder.node("Reshape", name: "flat", inputs: [before, count])
        let after = builder.node("Relu", name: "after", inputs: [flat])
        let resolved = try ResolvedGraph(try builder.finish(outputs: [after]))
        #expect(resolved.opaqueLabels == ["product", "flat", "after"])
        let rest = try resolved.understoodPart()
        #expect(rest.outputs == [shape, before])
    }

    @Test func symbolsOfOpaqueNodesAreThoseOfTheInputs() throws {
        var builder = GraphBuilder(name: "symbols")
        let x = builder.input("x", type: Self.real([.symbolic("N"), .symbolic("T")]))
        let mask = builder.input("mask", type: Self.real([.symbolic("N"), .fixed(3)]))
        let known = builder.value("known", type: Self.real([.symbolic("N"), .fixed(3)]))
        let open = builder.value("open", type: Self.real([.symbolic("N"), .symbolic("M")]))
        builder.add("Mystery", domain: "com.example", inputs: [x], outputs: [known, open])
        let sum = builder.node("Add", inputs: [mask, known])
        let y = builder.node("Relu", inputs: [open])
        let graph = try builder.finish(outputs: [sum, y])

        let given = try ResolvedGraph(graph, inputShapes: [x: [5, 7]])
        for value in [mask, known, sum] { #expect(given.facts[value]?.shape == [5, 3]) }
        for value in [open, y] { #expect(given.facts[value]?.shape == nil) }
        // One sample, where nothing is given.
        let assumed = try ResolvedGraph(graph)
        for value in [mask, known, sum] { #expect(assumed.facts[value]?.shape == [1, 3]) }
        for value in [open, y] { #expect(assumed.facts[value]?.shape == [1, 1]) }
        // A symbol of two meanings tells nothing.
        let unequal = try ResolvedGraph(graph, inputShapes: [x: [5, 7], mask: [6, 3]])
        #expect(unequal.facts[mask]?.shape == [6, 3])
        #expect(unequal.facts[known]?.shape == nil)
    }

    @Test func inputsOfUnsupportedTypesAreNotKnown() throws {
        var builder = GraphBuilder(name: "types")
        let x = builder.input("x", type: Self.real([2] as Shape))
        let odd = builder.value("odd")
        builder.declareInput(odd)
        // A tensor of FLOAT8E4M3FN, which is element type 17.
        builder.updateValue(odd) { $0.opaqueType = [0x0A, 0x02, 0x08, 0x11] }
        let lost = builder.node("Relu", name: "lost", inputs: [odd])
        let found = builder.node("Relu", name: "found", inputs: [x])
        let graph = try builder.finish(outputs: [lost, found])
        let resolved = try ResolvedGraph(graph, inputShapes: [x: [2], odd: [2]])
        #expect(resolved.facts[odd]?.shape == nil)
        #expect(resolved.opaqueLabels == ["lost"])
        #expect(resolved.opaque[graph.nodes[0].id]?.description.contains("'odd'") == true)
        let rest = try resolved.understoodPart()
        #expect(rest.inputs == [x] && rest.outputs == [found])
    }

    // MARK: Outputs left out

    struct Omission: Sendable, CustomTestStringConvertible {
        let type: String
        var opset = 17
        var attributes: [String: Attribute] = [:]
        var parameters = 0
        /// How many outputs are listed, of which only the first has a name.
        let outputs: Int
        var testDescription: String { type }
    }

    @Test(arguments: [
        Omission(type: "BatchNormalization", opset: 9, parameters: 4, outputs: 5),
        Omission(type: "BatchNormalization", opset: 15, parameters: 4, outputs: 3),
        Omission(type: "MaxPool", attributes: ["kernel_shape": .ints([2, 2])], outputs: 2),
        Omission(type: "LayerNormalization", parameters: 1, outputs: 3),
        Omission(type: "Dropout", outputs: 2),
    ])
    func outputsLeftOutAtTheEndAreNotThere(_ omission: Omission) throws {
        var builder = GraphBuilder(name: "omitted", opset: omission.opset)
        let x = builder.input("x", type: Self.real([2, 3, 4, 3] as Shape))
        let parameters = (0..<omission.parameters).map {
            builder.constant("p\($0)", Tensor(shape: [3], scalars: [1, 1, 1] as [Float]))
        }
        let y = builder.value("y")
        var outputs: [ValueID?] = [y]
        while outputs.count < omission.outputs { outputs.append(nil) }
        builder.add(
            omission.type, inputs: [x] + parameters, outputs: outputs, attributes: omission.attributes)
        let resolved = try ResolvedGraph(try builder.finish(outputs: [y]))
        let node = resolved.graph.nodes[0].id
        let signature = try #require(resolved.signatures[node])
        #expect(signature.outputs.count == 1)
        // Kernels and cuts of channels there are only of the first.
        let operation = try #require(resolved.operators[node] as? any AxisLinking)
        #expect(operation.axisLinks(signature).links.contains { $0.from == .input(0, axis: 1) })
    }

    /// The number of parts is that of outputs, with or without names.
    @Test func partsLeftOutAtTheEndAreThere() throws {
        var builder = GraphBuilder(name: "parts")
        let x = builder.input("x", type: Self.real([6] as Shape))
        let y = builder.value("y")
        builder.add("Split", inputs: [x], outputs: [y, nil, nil])
        let resolved = try ResolvedGraph(try builder.finish(outputs: [y]))
        #expect(resolved.facts[y]?.shape == [2])
    }
}
