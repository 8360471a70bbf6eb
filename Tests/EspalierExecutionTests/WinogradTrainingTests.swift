import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import Testing

/// Training by Winograd's method computes what training directly does, but for rounding.
struct WinogradTrainingTests {
    struct Case: CustomTestStringConvertible {
        var channels: Int
        var filters: Int
        var extent: Int
        var padding: Int
        var threads = 1

        var testDescription: String {
            "\(channels) to \(filters) channels, \(extent)x\(extent), padding \(padding), threads \(threads)"
        }
    }

    private static let batch = 32
    private static let emptyFilter = 3

    /// A 3x3 convolution, the filter ``emptyFilter`` of which is zero, and a maximum pooling.
    private func network(_ example: Case, _ random: inout RandomSource) throws -> Graph {
        var builder = GraphBuilder(name: "convolution")
        let (channels, filters, extent) = (example.channels, example.filters, example.extent)
        let x = builder.input(
            "x",
            type: ValueType(
                dtype: .float32,
                dimensions: [.symbolic("N"), .fixed(channels), .fixed(extent), .fixed(extent)]))
        let filter = 9 * channels
        let weights = (0..<filters * filter).map { place in
            place / filter == Self.emptyFilter ? 0 : Float(random.normal()) / Float(filter).squareRoot()
        }
        let biases = (0..<filters).map { $0 == Self.emptyFilter ? 0 : Float(random.normal()) }
        let weight = builder.constant("weight", Tensor(shape: [filters, channels, 3, 3], scalars: weights))
        let bias = builder.constant("bias", Tensor(shape: [filters], scalars: biases))
        let pads = [Int64](repeating: Int64(example.padding), count: 4)
        let sums = builder.node(
            "Conv", name: "conv", inputs: [x, weight, bias], attributes: ["pads": .ints(pads)])
        let pooled = builder.node(
            "MaxPool", name: "pool", inputs: [sums],
            attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
        return try builder.finish(outputs: [pooled])
    }

    private struct Pass {
        var outputs: [Float]
        var gradients: [Float]
        var inputGradient: [Float]
    }

    private func pass(
        _ graph: Graph, _ example: Case, allowsWinograd: Bool, seed: UInt64
    ) throws -> Pass {
        var random = RandomSource(seed: seed)
        let resolved = try ResolvedGraph(graph, dimensions: ["N": Self.batch])
        let store = ParameterStore(resolved)
        var options = TrainingSession.Options(threads: example.threads)
        options.inputGradients = true
        options.allowsWinograd = allowsWinograd
        let lane = try Lane(threads: example.threads)
        return try lane.run {
            let session = try TrainingSession(
                resolved, outputs: graph.outputs, parameters: store, options: options)
            let input = try #require(session.input("x"))
            for place in input.indices { input[place] = Float(random.normal()) }
            try session.forward()
            for place in session.outputGradients[0].indices {
                session.outputGradients[0][place] = Float(random.normal())
            }
            try session.backward()
            return Pass(
                outputs: Array(session.outputs[0]), gradients: Array(store.gradients),
                inputGradient: try #require(session.inputGradient("x").map(Array.init)))
        }
    }

    private func expectClose(_ found: [Float], _ expected: [Float], _ what: String) {
        #expect(found.count == expected.count)
        let largest = expected.map(\.magnitude).max() ?? 0
        #expect(largest > 0)
        for (one, other) in zip(found, expected) where !(abs(one - other) <= 3e-5 * largest) {
            Issue.record("\(what): \(one) instead of \(other), where the largest is \(largest)")
            return
        }
    }

    /// Whether this machine has kernels of the method.
    private func isAvailable() -> Bool {
        guard
            let convolution = try? DNNConvolution(
                source: [Self.batch, 64, 14, 14], weights: [64, 64, 3, 3], groups: 1, strides: [1, 1],
                dilations: [1, 1], paddingBegin: [1, 1], paddingEnd: [1, 1])
        else { return false }
        return (try? DNNPrimitive.convolution(convolution, bias: true, training: true, algorithm: .winograd))
            != nil
    }

    @Test(arguments: [
        Case(channels: 64, filters: 64, extent: 14, padding: 1),
        Case(channels: 64, filters: 64, extent: 28, padding: 1, threads: 2),
        Case(channels: 50, filters: 70, extent: 15, padding: 1),
        Case(channels: 37, filters: 101, extent: 9, padding: 0),
        Case(channels: 128, filters: 64, extent: 8, padding: 1),
    ])
    func theSameAsDirectly(_ example: Case) throws {
        let seed = UInt64(example.channels * example.extent)
        var random = RandomSource(seed: seed)
        let graph = try network(example, &random)
        let direct = try pass(graph, example, allowsWinograd: false, seed: seed)
        let winograd = try pass(graph, example, allowsWinograd: true, seed: seed)
        expectClose(winograd.outputs, direct.outputs, "outputs")
        expectClose(winograd.gradients, direct.gradients, "gradients")
        expectClose(winograd.inputGradient, direct.inputGradient, "input's gradient")
        if isAvailable() { #expect(winograd.outputs != direct.outputs, "the method was not used") }
        // What pruning has emptied stays exactly empty.
        let count = winograd.outputs.count / (Self.batch * example.filters)
        let empty = (0..<Self.batch).flatMap { sample in
            let first = (sample * example.filters + Self.emptyFilter) * count
            return winograd.outputs[first..<first + count]
        }
        #expect(empty.allSatisfy { $0 == 0 })
    }

    /// Few channels, few tiles of 4x4 positions and tiles that are not full are faster directly.
    @Test(arguments: [
        Case(channels: 16, filters: 32, extent: 14, padding: 1),
        Case(channels: 64, filters: 64, extent: 4, padding: 1),
        Case(channels: 64, filters: 64, extent: 9, padding: 1),
    ])
    func othersAreComputedDirectly(_ example: Case) throws {
        var random = RandomSource(seed: 1)
        let graph = try network(example, &random)
        let direct = try pass(graph, example, allowsWinograd: false, seed: 1)
        let allowed = try pass(graph, example, allowsWinograd: true, seed: 1)
        #expect(allowed.outputs == direct.outputs)
        #expect(allowed.gradients == direct.gradients)
    }
}
