import EspalierExecution
import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport
import Testing

/// Networks of a few dozen bytes that ask for more memory than there is: refused by name, before anything is allocated.
struct MemoryLimitTests {
    private static let many: Int64 = 1 << 40

    private static func graph(_ type: String) throws -> Graph {
        var builder = GraphBuilder(name: "large")
        func integers(_ values: [Int64]) -> ValueID {
            builder.constant("integers", Tensor(shape: [values.count], scalars: values))
        }
        var inputs: [ValueID?] = []
        var attributes: [String: Attribute] = [:]
        if type != "ConstantOfShape" {
            inputs.append(builder.input("x", type: ValueType(dtype: .float32, shape: [1])))
        }
        if type == "Pad" {
            attributes["mode"] = .text("edge")
            inputs.append(integers([0, many - 1]))
        } else {
            inputs.append(integers([many]))
        }
        let large = builder.node(type, name: "large", inputs: inputs, attributes: attributes)
        let result = builder.node("Neg", name: "neg", inputs: [large])
        return try builder.finish(outputs: [result])
    }

    @Test(arguments: ["ConstantOfShape", "Tile", "Expand", "Pad"], [true, false])
    func valuesBeyondTheMachineAreRefused(type: String, optimizes: Bool) throws {
        let graph = try Self.graph(type)
        var options = InferenceSession.Options()
        options.optimizes = optimizes
        let session = try InferenceSession(graph: graph, options: options)
        let inputs: [String: Tensor] = graph.inputs.isEmpty ? [:] : ["x": Tensor(zeros: [1])]
        let error = #expect(throws: ExecutionError.self) { try session.run(inputs) }
        let text = error?.description ?? ""
        #expect(text.contains("'large'") && text.contains("memory"), "\(text)")
    }

    /// Each of two values would fit.
    @Test func valuesThatDoNotFitTogetherAreRefused() throws {
        let count = PhysicalMemory.byteCount / 4 / 5 * 3
        var builder = GraphBuilder(name: "large")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [count]))
        let result = builder.node("Relu", name: "relu", inputs: [x])
        let graph = try builder.finish(outputs: [result])
        let error = #expect(throws: ExecutionError.self) {
            _ = try InferencePlan(graph, inputShapes: [:], outputs: graph.outputs, threads: 1)
        }
        let text = error?.description ?? ""
        #expect(text.contains("'relu'") && text.contains("memory"), "\(text)")
    }

    /// By the reference, which takes many times what its results do.
    @Test func evaluationsBeyondTheMachineAreRefused() throws {
        let node = Node.single(OperatorName("ConstantOfShape"), inputs: [true], outputCount: 1)
        let operation = try Catalog.resolve(node, opsetVersion: 17).get()
        let shape = Tensor(shape: [1], scalars: [Self.many])
        let outputs = [ValueFacts(dtype: .float32, shape: [Int(Self.many)])]
        #expect(throws: OperatorError.self) { try operation.evaluate([shape], outputs: outputs).get() }
    }

    /// An extent of zero leaves nothing to store, but the others are multiplied in places.
    @Test func shapesBeyondAllBoundsAreRefused() throws {
        var builder = GraphBuilder(name: "empty")
        let extents = builder.constant("extents", Tensor(shape: [3], scalars: [Self.many, Self.many, 0]))
        let empty = builder.node("ConstantOfShape", name: "empty", inputs: [extents])
        let graph = try builder.finish(outputs: [empty])
        let error = #expect(throws: ExecutionError.self) { try InferenceSession(graph: graph).run([:]) }
        #expect(error?.description.contains("'empty'") == true)
    }

    @Test(arguments: [[1 << 40, 1 << 40], [1 << 40, 0, 1 << 40]] as [Shape])
    func inputsBeyondAllBoundsAreRefused(shape: Shape) throws {
        var builder = GraphBuilder(name: "inputs")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: shape))
        let result = builder.node("Flatten", inputs: [x])
        let graph = try builder.finish(outputs: [result])
        let error = #expect(throws: ResolutionError.self) { try ResolvedGraph(graph) }
        #expect(error?.description.contains("'x'") == true)
    }
}
