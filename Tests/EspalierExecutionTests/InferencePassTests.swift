import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierTensors
import Testing

/// Inference in a session's own memory.
struct InferencePassTests {
    private static let channels = 24

    /// Convolutions with many zeros among their weights and few, a pooling and a product; of any number of samples.
    private static func network() throws -> Graph {
        var builder = GraphBuilder(name: "network")
        var random = RandomSource(seed: 1)
        func weights(_ shape: Shape, keeping share: Double) -> Tensor {
            Tensor(
                shape: shape,
                scalars: (0..<shape.count).map { _ in
                    let value = Float(random.normal())
                    return random.uniform() < share ? value : 0
                })
        }
        let type = ValueType(
            dtype: .float32, dimensions: [.symbolic("N"), .fixed(3), .fixed(12), .fixed(12)])
        var value = builder.input("x", type: type)
        for (place, (inputs, share)) in [(3, 1.0), (channels, 0.1), (channels, 0.6)].enumerated() {
            let weight = weights([channels, inputs, 3, 3], keeping: share)
            value = builder.node(
                "Conv", inputs: [value, builder.constant("w\(place)", weight)],
                attributes: ["pads": .ints([1, 1, 1, 1])])
            value = builder.node("Relu", inputs: [value])
        }
        value = builder.node("GlobalAveragePool", inputs: [value])
        value = builder.node("Flatten", inputs: [value])
        let output = builder.value("y")
        builder.add(
            "Gemm", inputs: [value, builder.constant("w", weights([10, channels], keeping: 0.2))],
            outputs: [output], attributes: ["transB": .int(1)])
        return try builder.finish(outputs: [output])
    }

    private static func input(_ samples: Int, seed: UInt64) -> Tensor {
        var random = RandomSource(seed: seed)
        let shape: Shape = [samples, 3, 12, 12]
        return Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal()) })
    }

    private static func infer(
        _ session: InferenceSession, _ input: Tensor
    ) throws -> [Float] {
        try session.infer(samples: input.shape[0]) { pass in
            try pass.withInput("x") { memory in
                let scalars = input.scalars(as: Float.self)
                #expect(memory.count == scalars.count)
                for index in memory.indices { memory[index] = scalars[index] }
            }
            try pass.run()
            #expect(try pass.shape(ofOutput: "y") == [input.shape[0], 10])
            return try pass.withOutput("y") { memory in memory.indices.map { memory[$0] } }
        }
    }

    @Test(arguments: [1, 2])
    func computesWhatTensorsDo(threads: Int) throws {
        var options = InferenceSession.Options()
        options.threads = threads
        let session = try InferenceSession(graph: try Self.network(), options: options)
        #expect(session.inputNames == ["x"] && session.outputNames == ["y"])
        for samples in [1, 3, 1] {
            let input = Self.input(samples, seed: UInt64(samples))
            let expected = try #require(try session.run(["x": input])["y"]).scalars(as: Float.self)
            #expect(try Self.infer(session, input) == expected)
        }
    }

    /// Threads that share a session, and sessions that share a graph, do not disturb each other.
    @Test func sessionsServeManyThreads() async throws {
        let graph = try Self.network()
        let shared = try InferenceSession(graph: graph)
        let inputs = (0..<8).map { Self.input(2, seed: 100 + UInt64($0)) }
        let expected = try inputs.map { try Self.infer(shared, $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    let own = try InferenceSession(graph: graph)
                    for turn in 0..<20 {
                        let index = (lane + turn) % inputs.count
                        #expect(try Self.infer(shared, inputs[index]) == expected[index])
                        #expect(try Self.infer(own, inputs[index]) == expected[index])
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func wrongNamesAndTypesAreRefused() throws {
        let session = try InferenceSession(graph: try Self.network())
        let messages: [(problem: String, body: (borrowing InferencePass) throws -> Void)] = [
            ("no input 'z'", { try $0.withInput("z") { _ in } }),
            ("not int64", { try $0.withInput("x", as: Int64.self) { _ in } }),
            ("no value 'x' is computed", { try $0.withOutput("x") { _ in } }),
            ("not float64", { try $0.withOutput("y", as: Double.self) { _ in } }),
        ]
        for (problem, body) in messages {
            let error = #expect(throws: ExecutionError.self) { try session.infer(body) }
            #expect("\(try #require(error))".contains(problem))
        }
        #expect(throws: ExecutionError.self) { try session.infer(samples: 0) { _ in } }
        struct Own: Error {}
        #expect(throws: Own.self) { try session.infer { _ in throw Own() } }
        // A body that fails leaves the session usable.
        #expect(try Self.infer(session, Self.input(1, seed: 1)).count == 10)
    }

    @Test func openAxesAreGiven() throws {
        var builder = GraphBuilder(name: "open")
        let type = ValueType(dtype: .float32, dimensions: [.symbolic("N"), .symbolic("T"), .fixed(2)])
        let output = builder.value("y")
        builder.add("Relu", inputs: [builder.input("x", type: type)], outputs: [output])
        let graph = try builder.finish(outputs: [output])
        let error = #expect(throws: ExecutionError.self) {
            try InferenceSession(graph: graph).infer { _ in }
        }
        #expect("\(try #require(error))".contains("axis 1"))
        var options = InferenceSession.Options()
        options.inputShapes = ["x": [1, 5, 2]]
        let session = try InferenceSession(graph: graph, options: options)
        #expect(try session.infer(samples: 4) { pass in try pass.shape(ofOutput: "y") } == [4, 5, 2])
        options.inputShapes = ["x": [1, 5, 3]]
        let wrong = try InferenceSession(graph: graph, options: options)
        #expect(throws: ExecutionError.self) { try wrong.infer { _ in } }
    }

    /// A step that is over before another thread has begun is left to one, and the team is as it was after a run.
    @Test func smallStepsAreNotShared() throws {
        let lane = try Lane(threads: 2)
        let graph = try Self.network()
        try lane.run {
            let plan = try InferencePlan(
                graph, inputShapes: [graph.inputs[0]: [1, 3, 12, 12]], outputs: graph.outputs,
                threads: lane.threads, sparsity: .never)
            // 62,208 multiply-accumulates, twice 518,400, a pooling, a view and 240.
            let teams = plan.listing.filter { !$0.label.hasPrefix("reorder") }.map(\.threads)
            #expect(teams.first == 1 && teams.last == 1)
            #expect(teams.dropFirst().prefix(2) == [lane.threads, lane.threads])
            try plan.run()
            #expect(ThreadTeam.count == lane.threads)
        }
    }
}
