import EspalierExecution
import EspalierGraphs
import EspalierOperators
import EspalierTensors
import Testing

struct SessionTests {
    private static func chain() throws -> Graph {
        var builder = GraphBuilder(name: "chain")
        let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(3)]))
        let once = builder.node("Relu", name: "once", inputs: [x])
        let twice = builder.node("Relu", name: "twice", inputs: [once])
        return try builder.finish(outputs: [twice])
    }

    @Test(arguments: [1, 4])
    func inferenceTakesAnyBatchSize(batch: Int) throws {
        let session = try InferenceSession(graph: Self.chain())
        let values = (0..<(3 * batch)).map { Float($0) - 4 }
        let outputs = try session.run(["x": Tensor(shape: [batch, 3], scalars: values)])
        #expect(outputs["twice_output"]?.scalars(as: Float.self) == values.map { max(0, $0) })
    }

    @Test func optionsWithoutSenseAreRefused() throws {
        let graph = try Self.chain()
        func code(_ body: () throws -> Void) -> String? {
            do { try body() } catch ExecutionError.invalidOption { return "option" } catch ExecutionError
                .unknownOutput
            { return "output" } catch { return "\(error)" }
            return nil
        }
        var options = InferenceSession.Options()
        options.threads = 0
        #expect(code { _ = try InferenceSession(graph: graph, options: options) } == "option")
        options.threads = 1
        options.outputs = ["nothing"]
        #expect(code { _ = try InferenceSession(graph: graph, options: options) } == "output")
        let session = try InferenceSession(graph: graph)
        #expect(code { try session.infer(samples: 0) { _ in } } == "option")
        #expect(
            session.inputTypes
                == ["x": ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(3)])])
    }

    /// More shapes than plans are kept for, one of them used in between.
    @Test func plansComeAndGo() throws {
        var builder = GraphBuilder(name: "many")
        let x = builder.input("x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(2)]))
        let y = builder.node("Neg", name: "neg", inputs: [x])
        let session = try InferenceSession(graph: try builder.finish(outputs: [y]))
        let output = try #require(session.outputNames.first)
        for turn in 0..<3 {
            for samples in 1...12 {
                for count in [samples, 1] {
                    let sum = try session.infer(samples: count) { pass in
                        try pass.withInput("x") { input in
                            for index in input.indices { input[index] = Float(turn + index) }
                        }
                        try pass.run()
                        return try pass.withOutput(output) { values in
                            values.indices.reduce(Float(0)) { $0 + values[$1] }
                        }
                    }
                    #expect(sum == -Float((0..<(2 * count)).reduce(0) { $0 + turn + $1 }))
                }
                let values = (0..<(2 * samples)).map { Float($0) }
                let given = Tensor(shape: [samples, 2], scalars: values)
                #expect(try session.run(["x": given])[output]?.scalars(as: Float.self) == values.map { -$0 })
            }
        }
    }

    @Test func wrongInputsAreNamed() throws {
        let session = try InferenceSession(graph: Self.chain())
        #expect(throws: ExecutionError.self) { try session.run([:]) }
        #expect(throws: ExecutionError.self) { try session.run(["y": Tensor(zeros: [1, 3])]) }
        #expect(throws: ExecutionError.self) { try session.run(["x": Tensor(zeros: [1, 4])]) }
    }

    @Test func gradientsReachTheInputThroughSharedValues() throws {
        let resolved = try ResolvedGraph(Self.chain(), dimensions: ["N": 2])
        let store = ParameterStore(resolved)
        var options = TrainingSession.Options()
        options.inputGradients = true
        let session = try TrainingSession(
            resolved, outputs: resolved.graph.outputs, parameters: store, options: options)
        try session.setInput("x", to: Tensor(shape: [2, 3], scalars: [-1, 2, 3, -4, 5, 0.5] as [Float]))
        try session.forward()
        #expect(Array(session.outputs[0]) == [0, 2, 3, 0, 5, 0.5])
        for index in 0..<6 { session.outputGradients[0][index] = Float(index + 1) }
        try session.backward()
        #expect(session.inputGradient("x").map(Array.init) == [0, 2, 3, 0, 5, 6])
    }

    @Test func gradientsPassMoreAxesThanTheLibraryKnows() throws {
        let shape = Shape([2] + [Int](repeating: 1, count: 11) + [3])
        var builder = GraphBuilder(name: "axes")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: shape))
        let y = builder.node("Sigmoid", inputs: [x])
        let resolved = try ResolvedGraph(try builder.finish(outputs: [y]))
        var options = TrainingSession.Options()
        options.inputGradients = true
        let session = try TrainingSession(
            resolved, outputs: resolved.graph.outputs, parameters: ParameterStore(resolved), options: options)
        try session.setInput("x", to: Tensor(shape: shape, scalars: [-1, 2, 3, -4, 5, 0.5] as [Float]))
        try session.forward()
        for index in 0..<6 { session.outputGradients[0][index] = 1 }
        try session.backward()
        let gradient = try #require(session.inputGradient("x").map(Array.init))
        for (value, slope) in zip(session.outputs[0], gradient) {
            #expect(abs(slope - value * (1 - value)) < 1e-6)
        }
    }
}
