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

    /// What is computed from weights changes with them, booleans too.
    @Test func comparisonsOfWeightsFollowThem() throws {
        var builder = GraphBuilder(name: "threshold")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 2]))
        let weight = builder.constant("w", Tensor(shape: [2, 2], scalars: [1, -1, -1, 1] as [Float]))
        let zero = builder.constant("zero", Tensor(Float(0)))
        let isPositive = builder.node("Greater", inputs: [weight, zero])
        let kept = builder.node("Where", inputs: [isPositive, weight, zero])
        let y = builder.node("MatMul", inputs: [x, kept])
        let resolved = try ResolvedGraph(try builder.finish(outputs: [y]))
        let store = ParameterStore(resolved)
        let session = try TrainingSession(resolved, outputs: resolved.graph.outputs, parameters: store)
        try session.setInput("x", to: Tensor(shape: [1, 2], scalars: [10, 1] as [Float]))
        try session.forward()
        #expect(Array(session.outputs[0]) == [10, 1])
        let entry = try #require(store.trainable.first { $0.name == "w" })
        store.set(entry, to: Tensor(shape: [2, 2], scalars: [-3, 2, 4, -5] as [Float]))
        try session.forward()
        #expect(Array(session.outputs[0]) == [4, 20])
    }

    /// What exporters write for `side = int(x.size(1) ** 0.5); x.view(-1, side, side, 2)`.
    @Test(arguments: [3, 7], [true, false])
    func targetsPassThroughRealNumbers(side: Int, optimizes: Bool) throws {
        var builder = GraphBuilder(name: "root")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .symbolic("T"), .fixed(2)]))
        let shape = builder.node("Shape", inputs: [x])
        let one = builder.constant("one", Tensor(Int64(1)))
        let zero = builder.constant("zero", Tensor(shape: [1], scalars: [0] as [Int64]))
        let extent = builder.node("Gather", inputs: [shape, one])
        let wide = builder.node("Cast", inputs: [extent], attributes: ["to": .int(1)])
        let root = builder.node("Sqrt", inputs: [wide])
        let whole = builder.node("Cast", inputs: [root], attributes: ["to": .int(7)])
        let row = builder.node("Unsqueeze", inputs: [whole, zero])
        let rest = builder.constant("rest", Tensor(shape: [1], scalars: [-1] as [Int64]))
        let last = builder.constant("last", Tensor(shape: [1], scalars: [2] as [Int64]))
        let target = builder.node("Concat", inputs: [rest, row, row, last], attributes: ["axis": .int(0)])
        let square = builder.node("Reshape", inputs: [x, target])
        let y = builder.node("Neg", name: "y", inputs: [square])
        var options = InferenceSession.Options()
        options.optimizes = optimizes
        let session = try InferenceSession(graph: try builder.finish(outputs: [y]), options: options)
        let values = (0..<(3 * side * side * 2)).map { Float($0) }
        let outputs = try session.run(["x": Tensor(shape: [3, side * side, 2], scalars: values)])
        #expect(outputs["y_output"]?.shape == [3, side, side, 2])
        #expect(outputs["y_output"]?.scalars(as: Float.self) == values.map { -$0 })
    }

    /// Outputs without a name cost a node neither its kernel nor its gradient.
    @Test func outputsLeftOutDoNotMatter() throws {
        var builder = GraphBuilder(name: "omitted")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 1, 2, 2]))
        let y = builder.value("y")
        builder.add(
            "MaxPool", name: "pool", inputs: [x], outputs: [y, nil],
            attributes: ["kernel_shape": .ints([2, 2])])
        let graph = try builder.finish(outputs: [y])
        let plan = try InferencePlan(graph, inputShapes: [:], outputs: graph.outputs, threads: 1)
        #expect(plan.listing.map(\.isReference) == [false])
        let resolved = try ResolvedGraph(graph)
        var options = TrainingSession.Options()
        options.inputGradients = true
        let session = try TrainingSession(
            resolved, outputs: graph.outputs, parameters: ParameterStore(resolved), options: options)
        try session.setInput("x", to: Tensor(shape: [1, 1, 2, 2], scalars: [1, 4, 3, 2] as [Float]))
        try session.forward()
        #expect(Array(session.outputs[0]) == [4])
        session.outputGradients[0][0] = 5
        try session.backward()
        #expect(session.inputGradient("x").map(Array.init) == [0, 5, 0, 0])
    }
}
