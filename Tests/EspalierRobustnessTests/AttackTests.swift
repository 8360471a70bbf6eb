import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

struct AttackTests {
    private static let size = 12
    private static let classes = 4
    private static let deviation: Float = 0.25

    /// A linear classifier, and samples that it gets right, with deviations that radii must take into account.
    private struct Linear {
        let graph: Graph
        let data: Dataset
        let weights: [[Double]]
        let biases: [Double]

        init(seed: UInt64) throws {
            var random = RandomSource(seed: seed)
            let (size, classes) = (AttackTests.size, AttackTests.classes)
            let weights = (0..<classes).map { _ in (0..<size).map { _ in Float(random.normal()) } }
            let biases = (0..<classes).map { _ in Float(random.normal()) }
            var builder = GraphBuilder(name: "linear")
            let x = builder.input(
                "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(size)]))
            let weight = builder.constant(
                "w", Tensor(shape: [classes, size], scalars: weights.flatMap { $0 }))
            let bias = builder.constant("b", Tensor(shape: [classes], scalars: biases))
            let output = builder.node(
                "Gemm", name: "fc", inputs: [x, weight, bias], attributes: ["transB": .int(1)])
            graph = try builder.finish(outputs: [output])
            let values = (0..<40).map { _ in (0..<size).map { _ in Float(random.normal()) } }
            let labels = values.map { sample -> Int32 in
                let outputs = (0..<classes).map { row in
                    zip(weights[row], sample).reduce(biases[row]) { $0 + $1.0 * $1.1 }
                }
                return Int32(outputs.indices.max { outputs[$0] < outputs[$1] } ?? 0)
            }
            data = try Dataset(
                name: "points",
                inputs: [
                    .init(name: "x", values: Tensor(shape: [40, size], scalars: values.flatMap { $0 }))
                ], labels: .classes(labels, count: classes),
                preprocessing: Preprocessing(standardDeviation: [AttackTests.deviation]))
            self.weights = weights.map { $0.map { Double($0) } }
            self.biases = biases.map { Double($0) }
        }

        /// The distance of a sample from the nearest boundary, in units of radii: exact for a linear classifier.
        func radius(_ sample: Int, _ norm: VectorNorm) -> Double {
            guard case .classes(let labels, _) = data.labels else { return 0 }
            let size = AttackTests.size
            let values = data.x.scalars(as: Double.self)[(sample * size)..<((sample + 1) * size)]
            let right = Int(labels[sample])
            return (0..<AttackTests.classes).filter { $0 != right }.map { other in
                let difference = zip(weights[right], weights[other]).map { $0 - $1 }
                let margin = zip(difference, values).reduce(biases[right] - biases[other]) {
                    $0 + $1.0 * $1.1
                }
                let dual =
                    norm == .euclidean
                    ? difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    : difference.reduce(0) { $0 + abs($1) }
                return margin / dual * Double(AttackTests.deviation)
            }.min() ?? 0
        }

        func network(_ range: ClosedRange<Double> = -1000...1000) throws -> AttackedNetwork {
            try AttackedNetwork(
                graph, dataset: data, units: InputUnits(data, range: range), lane: Lane(threads: 1))
        }
    }

    /// At a thousandth below the distance from the boundary nothing can succeed, at one above it gradients do.
    @Test(arguments: VectorNorm.allCases, [UInt64(1), 2, 3])
    func linearClassifiersBreakWhereTheyMust(norm: VectorNorm, seed: UInt64) throws {
        let linear = try Linear(seed: seed)
        let network = try linear.network()
        let samples = Array(0..<linear.data.sampleCount)
        let radii = samples.map { linear.radius($0, norm) }
        #expect(radii.allSatisfy { $0 > 0 })
        let attack = ProjectedGradientDescent(norm: norm, steps: 60, restarts: 1, targets: Self.classes - 1)
        let below = try attack.succeeds(
            on: network, samples: samples, radii: radii.map { 0.999 * $0 }, seed: seed)
        #expect(!below.contains(true))
        let above = try attack.succeeds(
            on: network, samples: samples, radii: radii.map { 1.001 * $0 }, seed: seed)
        #expect(!above.contains(false), "\(above.count { !$0 }) of \(above.count) did not break")
        let found = try attack.smallestRadii(on: network, samples: samples, largest: 100, halvings: 24)
        for (radius, least) in zip(found, radii) { #expect(radius >= 0.999 * least && radius < 1.01 * least) }
        // Without gradients much more is needed.
        let noise = RandomNoise(norm: norm, draws: 10)
        #expect(
            try !noise.succeeds(on: network, samples: samples, radii: radii.map { 0.999 * $0 }, seed: seed)
                .contains(true))
    }

    /// One step reaches a boundary of two classes at once.
    @Test(arguments: VectorNorm.allCases) func oneStepIsEnoughForOneBoundary(
        norm: VectorNorm
    ) throws {
        let linear = try Linear(seed: 5)
        let network = try linear.network()
        let samples = Array(0..<linear.data.sampleCount)
        let radii = samples.map { linear.radius($0, norm) }
        let attack = FastGradient(norm: norm)
        #expect(
            try !attack.succeeds(on: network, samples: samples, radii: radii.map { 0.999 * $0 }, seed: 0)
                .contains(true))
        let broken = try attack.succeeds(on: network, samples: samples, radii: radii.map { 20 * $0 }, seed: 0)
        #expect(broken.count { $0 } > broken.count / 2)
    }

    /// What samples can be bounds what an attack may do: where there is no room, nothing changes.
    @Test(arguments: VectorNorm.allCases) func samplesStayWhatTheyCanBe(norm: VectorNorm) throws {
        let linear = try Linear(seed: 6)
        let samples = Array(0..<linear.data.sampleCount)
        let values = linear.data.x.scalars(as: Double.self)
        let largest = Double(Self.deviation) * (values.map { abs($0) }.max() ?? 0)
        let attack = ProjectedGradientDescent(norm: norm, steps: 20, restarts: 2)
        // Wide enough for all samples: a huge radius may do whatever lies in the box.
        let wide = try attack.succeeds(
            on: linear.network(-largest...largest), samples: samples, radii: samples.map { _ in 1000 },
            seed: 1)
        #expect(wide.contains(true))
        let narrow = try attack.succeeds(
            on: linear.network(-1e-6...1e-6), samples: samples, radii: samples.map { _ in 1e-5 }, seed: 1)
        #expect(!narrow.contains(true))
    }

    /// More steps and more restarts never find less, and the same seed finds the same.
    @Test func moreSearchFindsMore() throws {
        let options = ArchitectureOptions(channels: 1, height: 8, width: 8, classCount: 10, seed: 3)
        let graph = try #require(Architectures.named("tiny-cnn")).graph(options)
        let data = try DataSource("digits").load(.test, options: LoadOptions())
        let network = try AttackedNetwork(graph, dataset: data, lane: Lane(threads: 1))
        let samples = Array(0..<60)
        let radii = samples.map { _ in 0.02 }
        func broken(_ steps: Int, _ restarts: Int) throws -> [Bool] {
            try ProjectedGradientDescent(norm: .maximum, steps: steps, restarts: restarts, targets: 1)
                .succeeds(
                    on: network, samples: samples, radii: radii, seed: 4)
        }
        let few = try broken(1, 0)
        let many = try broken(20, 0)
        let most = try broken(20, 2)
        #expect(try broken(20, 2) == most)
        #expect(zip(many, most).allSatisfy { !$0 || $1 })
        #expect(few.count { $0 } <= many.count { $0 })
    }
}
