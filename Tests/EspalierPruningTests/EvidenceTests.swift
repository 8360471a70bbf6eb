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
