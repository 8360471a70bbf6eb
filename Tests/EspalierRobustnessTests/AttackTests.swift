import EspalierKernels
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import EspalierTraining
import Testing

struct AttackTests {
    /// At a thousandth below the distance from the boundary nothing can succeed, at one above it gradients do.
    @Test(arguments: VectorNorm.allCases, [UInt64(1), 2, 3])
    func linearClassifiersBreakWhereTheyMust(norm: VectorNorm, seed: UInt64) throws {
        let linear = try LinearClassifier(seed: seed)
        let network = try linear.network()
        let samples = Array(0..<linear.data.sampleCount)
        let radii = samples.map { linear.radius($0, norm) }
        #expect(radii.allSatisfy { $0 > 0 })
        let attack = ProjectedGradientDescent(
            norm: norm, steps: 60, restarts: 1, targets: LinearClassifier.classes - 1)
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
        let linear = try LinearClassifier(seed: 5)
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
        let linear = try LinearClassifier(seed: 6)
        let samples = Array(0..<linear.data.sampleCount)
        let values = linear.data.x.scalars(as: Double.self)
        let largest = Double(LinearClassifier.deviation) * (values.map { abs($0) }.max() ?? 0)
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
