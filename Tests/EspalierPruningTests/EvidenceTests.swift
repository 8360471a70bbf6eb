import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// Evidence against gradients of single samples' losses, by central differences of a network written out here.
struct EvidenceTests {
    private static let size = 3
    private static let sampleCount = 7

    /// logits = B relu(A x), where A and B may be one and the same parameter.
    private struct Fixture {
        let graph: Graph
        let dataset: Dataset
        let inputs: [[Double]]
        let labels: [Int]
        let first: [Double]
        let second: [Double]
        let isShared: Bool

        init(isShared: Bool, seed: UInt64) throws {
            var random = RandomSource(seed: seed)
            func draw(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.normal()) } }
            let size = EvidenceTests.size
            let (a, b, x) = (draw(size * size), draw(size * size), draw(size * EvidenceTests.sampleCount))
            var builder = GraphBuilder(name: "two layers")
            let input = builder.input(
                "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(size)]))
            let first = builder.constant("first", Tensor(shape: [size, size], scalars: a))
            let second =
                isShared ? first : builder.constant("second", Tensor(shape: [size, size], scalars: b))
            let transposed: [String: Attribute] = ["transB": .int(1)]
            let hidden = builder.node("Gemm", inputs: [input, first], attributes: transposed)
            let active = builder.node("Relu", inputs: [hidden])
            let logits = builder.node("Gemm", inputs: [active, second], attributes: transposed)
            graph = try builder.finish(outputs: [logits])
            labels = (0..<EvidenceTests.sampleCount).map { $0 % size }
            dataset = try Dataset(
                name: "noise",
                inputs: [
                    .init(name: "x", values: Tensor(shape: [EvidenceTests.sampleCount, size], scalars: x))
                ],
                labels: .classes(labels.map(Int32.init), count: size))
            inputs = (0..<EvidenceTests.sampleCount).map { sample in
                (0..<size).map { Double(x[sample * size + $0]) }
            }
            self.first = a.map(Double.init)
            self.second = isShared ? self.first : b.map(Double.init)
            self.isShared = isShared
        }

        private func product(_ matrix: [Double], _ vector: [Double]) -> [Double] {
            vector.indices.map { row in
                vector.indices.reduce(0) { $0 + matrix[row * vector.count + $1] * vector[$1] }
            }
        }

        private func loss(_ first: [Double], _ second: [Double], sample: Int) -> Double {
            let logits = product(second, product(first, inputs[sample]).map { max(0, $0) })
            let top = logits.max() ?? 0
            return top + log(logits.reduce(0) { $0 + exp($1 - top) }) - logits[labels[sample]]
        }

        /// E[g^2] of every element of the first parameter.
        func expectedSquares() -> [Double] {
            let step = 1e-6
            return first.indices.map { index in
                var sum = 0.0
                for sample in inputs.indices {
                    func moved(_ by: Double) -> Double {
                        var changed = first
                        changed[index] += by
                        return loss(changed, isShared ? changed : second, sample: sample)
                    }
                    let gradient = (moved(step) - moved(-step)) / (2 * step)
                    sum += gradient * gradient
                }
                return sum / Double(inputs.count)
            }
        }
    }

    @Test(arguments: [false, true], [1, 2, 3] as [UInt64])
    func squaresAreOfSingleSamplesGradients(isShared: Bool, seed: UInt64) throws {
        let fixture = try Fixture(isShared: isShared, seed: seed)
        // A batch of 4 leaves one of 3.
        let evidence = try EvidenceCollector(
            fixture.dataset, loss: CrossEntropy(), batchSize: 4, lane: Lane(threads: 1)
        ).collect([.meanSquaredGradients, .meanGradients], from: fixture.graph)
        let parameter = try #require(fixture.graph.value(named: "first")).id
        let squares = try #require(evidence[.meanSquaredGradients][parameter]).scalars(as: Double.self)
        let means = try #require(evidence[.meanGradients][parameter]).scalars(as: Double.self)
        #expect(evidence.sampleCount == Self.sampleCount)
        let expected = fixture.expectedSquares()
        for (index, value) in squares.enumerated() {
            #expect(
                abs(value - expected[index]) <= 1e-4 * max(1e-2, expected[index]),
                "element \(index), seed \(seed)")
            // The mean of squares is never below the square of the mean.
            #expect(value >= means[index] * means[index] - 1e-6)
        }
    }

    /// logits = (relu(T W1) W2 for all tokens T of a sample) V, where the tokens of all samples stand in the rows of one matrix.
    private func tokenNetwork(
        tokens: Int, width: Int, shared: [Tensor], head: Tensor
    ) throws -> Graph {
        var builder = GraphBuilder(name: "tokens")
        let input = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(tokens * width)]))
        let rows = builder.constant("rows", Tensor(shape: [2], scalars: [-1, Int64(width)]))
        var value = builder.node("Reshape", inputs: [input, rows])
        for (number, weight) in shared.enumerated() {
            if number > 0 { value = builder.node("Relu", inputs: [value]) }
            let constant = builder.constant("shared\(number)", weight)
            value = builder.node(number == 0 ? "Gemm" : "MatMul", inputs: [value, constant])
        }
        let samples = builder.constant("samples", Tensor(shape: [2], scalars: [-1, Int64(head.shape[0])]))
        let flat = builder.node("Reshape", inputs: [value, samples])
        let last = builder.constant("head", head)
        let outputs = builder.node("Gemm", inputs: [flat, last])
        return try builder.finish(outputs: [outputs])
    }

    private func squares(_ graph: Graph, _ data: Dataset, batchSize: Int) throws -> [String: [Double]] {
        let evidence = try EvidenceCollector(
            data, loss: MeanSquaredError(), batchSize: batchSize, lane: Lane(threads: 1)
        ).collect([.meanSquaredGradients, .meanGradients], from: graph)
        return Dictionary(
            uniqueKeysWithValues: evidence[.meanSquaredGradients].map { id, tensor in
                (graph.name(of: id), tensor.scalars(as: Double.self))
            })
    }

    /// x w for two equal tokens, and their difference: the gradients of the tokens cancel in every sample.
    @Test(arguments: [1, 3])
    func positionsAreSummedBeforeTheyAreSquared(batchSize: Int) throws {
        let graph = try tokenNetwork(
            tokens: 2, width: 1, shared: [Tensor(shape: [1, 1], scalars: [0.7] as [Float])],
            head: Tensor(shape: [2, 1], scalars: [1, -1] as [Float]))
        let data = try Dataset(
            name: "pairs",
            inputs: [
                .init(name: "x", values: Tensor(shape: [3, 2], scalars: [1, 1, 2, 2, 3, 3] as [Float]))
            ],
            labels: .targets(Tensor(shape: [3, 1], scalars: [1, 2, 3] as [Float])))
        let found = try squares(graph, data, batchSize: batchSize)
        let shared = try #require(found["shared0"])
        #expect(shared.count == 1 && shared.allSatisfy { abs($0) < 1e-10 })
        // The head has no positions, and its gradients do not vanish.
        #expect(try #require(found["head"]).allSatisfy { $0 > 0.1 })
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func layersThatTokensShareAreALoopOverSingleSamples(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        func draw(_ shape: Shape) -> Tensor {
            Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal()) })
        }
        let (samples, tokens) = (7, 4)
        let graph = try tokenNetwork(
            tokens: tokens, width: 3, shared: [draw([3, 5]), draw([5, 2])], head: draw([2 * tokens, 2]))
        let (inputs, targets) = (draw([samples, 3 * tokens]), draw([samples, 2]))
        func selected(_ rows: [Int], of table: Tensor) -> Tensor {
            let (values, width) = (table.scalars(as: Float.self), table.shape[1])
            return Tensor(
                shape: [rows.count, width],
                scalars: rows.flatMap { values[($0 * width)..<(($0 + 1) * width)] })
        }
        func data(_ rows: [Int]) throws -> Dataset {
            try Dataset(
                name: "noise", inputs: [.init(name: "x", values: selected(rows, of: inputs))],
                labels: .targets(selected(rows, of: targets)))
        }
        // Four tokens, so that a batch of as many samples is no special case.
        for batchSize in [1, 4, 7] {
            let found = try squares(graph, data(Array(0..<samples)), batchSize: batchSize)
            var expected: [String: [Double]] = [:]
            for sample in 0..<samples {
                let evidence = try EvidenceCollector(
                    data([sample]), loss: MeanSquaredError(), batchSize: 1, lane: Lane(threads: 1)
                ).collect([.meanGradients], from: graph)
                for (id, tensor) in evidence[.meanGradients] {
                    let squares = tensor.scalars(as: Double.self).map { $0 * $0 / Double(samples) }
                    let sums = expected[graph.name(of: id)] ?? [Double](repeating: 0, count: squares.count)
                    expected[graph.name(of: id)] = zip(sums, squares).map { $0 + $1 }
                }
            }
            #expect(Set(found.keys) == ["shared0", "shared1", "head"])
            for (name, values) in found {
                for (one, other) in zip(values, try #require(expected[name])) {
                    #expect(
                        abs(one - other) <= 1e-4 * max(1e-2, other),
                        "\(name), batches of \(batchSize), seed \(seed)")
                }
            }
        }
    }

    /// Firing counts samples of the evidence it was measured with, not those that training went through.
    @Test func trainingDoesNotCountForOtherKinds() {
        let training = Evidence(sampleCount: 5000, tensors: [.movement: [:]])
        let measured = Evidence(sampleCount: 7, tensors: [.firingSamples: [:]])
        var one = training
        one.merge(measured)
        var other = measured
        other.merge(training)
        #expect(one.sampleCount == 7 && other.sampleCount == 7)
        #expect(one.kinds == [.movement, .firingSamples])
        var alone = training
        alone.merge(.none)
        #expect(alone.sampleCount == 5000)
    }
}
