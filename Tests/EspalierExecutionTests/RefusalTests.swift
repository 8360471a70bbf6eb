import EspalierExecution
import EspalierGraphs
import EspalierOperators
import EspalierTensors
import Testing

/// What the library below can't compute is told with the node's name.
struct RefusalTests {
    /// Matrices of each of two axes with those of the other: all in all thirteen axes, where oneDNN knows twelve.
    private static func graph() throws -> Graph {
        let ones = [Int](repeating: 1, count: 9)
        var builder = GraphBuilder(name: "axes")
        let left = builder.input(
            "left", type: ValueType(dtype: .float32, shape: Shape([2, 1] + ones + [3, 4])))
        let right = builder.input(
            "right", type: ValueType(dtype: .float32, shape: Shape([1, 2] + ones + [4, 5])))
        let before = builder.node("Relu", name: "before", inputs: [left])
        let product = builder.node("MatMul", name: "the product", inputs: [before, right])
        let after = builder.node("Relu", name: "after", inputs: [product])
        return try builder.finish(outputs: [after])
    }

    private static func expectRefusal(_ error: ExecutionError?) throws {
        let error = try #require(error)
        guard case .node(let name, let type, let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(name == "the product" && type == "MatMul" && reason.contains("13 axes"), "\(error)")
        #expect(error.description.hasPrefix("node 'the product' (MatMul): "))
    }

    @Test(arguments: [1, 2], [true, false])
    func inferenceNamesTheNode(threads: Int, optimizes: Bool) throws {
        var options = InferenceSession.Options()
        options.threads = threads
        options.optimizes = optimizes
        let session = try InferenceSession(graph: try Self.graph(), options: options)
        let error = #expect(throws: ExecutionError.self) { try session.infer { _ in } }
        try Self.expectRefusal(error)
    }

    @Test func trainingNamesTheNode() throws {
        let resolved = try ResolvedGraph(Self.graph())
        let error = #expect(throws: ExecutionError.self) {
            _ = try TrainingSession(
                resolved, outputs: resolved.graph.outputs, parameters: ParameterStore(resolved))
        }
        try Self.expectRefusal(error)
    }

    /// A shape that is an input of the model is known too late to plan with.
    @Test(arguments: [true, false])
    func operandsKnownTooLateNameTheNode(optimizes: Bool) throws {
        var builder = GraphBuilder(name: "late")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [4]))
        let target = builder.input("target", type: ValueType(dtype: .int64, shape: [2]))
        let result = builder.value("result", type: ValueType(dtype: .float32, shape: [2, 2]))
        builder.add("Reshape", name: "the reshape", inputs: [x, target], outputs: [result])
        let after = builder.node("Relu", name: "after", inputs: [result])
        let graph = try builder.finish(outputs: [after])
        var options = InferenceSession.Options()
        options.optimizes = optimizes
        let session = try InferenceSession(graph: graph, options: options)
        let error = #expect(throws: ExecutionError.self) {
            try session.run([
                "x": Tensor(zeros: [4]), "target": Tensor(shape: [2], scalars: [2, 2] as [Int64]),
            ])
        }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("node 'the reshape' cannot be executed: input 1 must be known"), "\(text)")
    }

    @Test func inputsOfUnsupportedTypesAreNamed() throws {
        var builder = GraphBuilder(name: "types")
        let odd = builder.value("odd")
        builder.declareInput(odd)
        // A tensor of FLOAT8E4M3FN, which is element type 17.
        builder.updateValue(odd) { $0.opaqueType = [0x0A, 0x02, 0x08, 0x11] }
        let result = builder.node("Relu", inputs: [odd])
        let session = try InferenceSession(graph: try builder.finish(outputs: [result]))
        let error = #expect(throws: ExecutionError.self) { try session.run(["odd": Tensor(zeros: [2])]) }
        #expect(error?.description == "the type or shape of input 'odd' is not known")
    }
}
