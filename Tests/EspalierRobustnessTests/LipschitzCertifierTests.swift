import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierRobustness
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

struct LipschitzCertifierTests {
    private func certified(_ linear: LinearClassifier) throws -> CertifiedNetwork {
        try CertifiedNetwork(
            linear.graph, dataset: linear.data, units: InputUnits(linear.data, range: -1000...1000),
            lane: Lane(threads: 1))
    }

    /// Of a linear classifier pairs of rows are the whole truth: m_j / ||w_y - w_j||, less what is kept for rounding.
    @Test(arguments: VectorNorm.allCases, [UInt64(1), 2, 3])
    func pairsAreExactForLinearClassifiers(norm: VectorNorm, seed: UInt64) throws {
        let linear = try LinearClassifier(seed: seed)
        let network = try certified(linear)
        let pairs = try network.pairCertifier(norm)
        let whole = try network.lipschitzCertifier(norm)
        for sample in 0..<linear.data.sampleCount {
            let exact = linear.radius(sample, norm)
            let left = 1 - network.logits.rounding(sample) / network.logits.margin(sample)
            #expect(pairs.radii[sample] <= exact, "seed \(seed)")
            #expect(pairs.radii[sample] >= exact * (left - 1e-3), "seed \(seed)")
            #expect(whole.radii[sample] <= pairs.radii[sample], "seed \(seed)")
            #expect(whole.radii[sample] > 0)
        }
        // The smallest radii decide: below none is left out, above all are.
        let samples = Array(0..<linear.data.sampleCount)
        #expect(pairs.certifies(samples: samples, radii: pairs.radii.map(\.nextDown)).allSatisfy { $0 })
        #expect(!pairs.certifies(samples: samples, radii: pairs.radii).contains(true))
        #expect(
            pairs.largestRadii(samples: samples, largest: 1e9, halvings: 0) == pairs.radii.map(\.nextDown))
    }

    /// One constant for all outputs: the spectral norm, or the largest sum of magnitudes of a row.
    @Test(arguments: VectorNorm.allCases) func oneConstantForAllOutputs(norm: VectorNorm) throws {
        let linear = try LinearClassifier(seed: 4)
        let network = try certified(linear)
        let matrix = MatrixMap(
            rows: LinearClassifier.classes, columns: LinearClassifier.size,
            elements: linear.weights.flatMap { $0 })
        let exact =
            try norm == .euclidean
            ? SingularValues(matrix).values[0]
            : linear.weights.map { $0.reduce(0) { $0 + abs($1) } }.max() ?? 0
        let constant = try network.lipschitzConstant(norm) * Double(LinearClassifier.deviation)
        #expect(constant >= exact && constant <= 1.006 * exact)
        let found =
            try LipschitzSearch(norm: norm, steps: 60).largestSlope(
                of: network.attacked, samples: Array(0..<40)) * Double(LinearClassifier.deviation)
        #expect(found <= exact && found > 0.99 * exact)
    }

    /// No attack succeeds within a radius that is certified, and half of the layer's norm is caught.
    @Test(arguments: VectorNorm.allCases, [UInt64(1), 2])
    func halvedConstantsAreCaught(norm: VectorNorm, seed: UInt64) throws {
        let linear = try LinearClassifier(seed: seed)
        let network = try certified(linear)
        let samples = Array(0..<linear.data.sampleCount)
        let attack = ProjectedGradientDescent(
            norm: norm, steps: 60, restarts: 1, targets: LinearClassifier.classes - 1)
        func broken(_ certifier: LipschitzCertifier) throws -> Int {
            try attack.succeeds(
                on: network.attacked, samples: samples, radii: certifier.radii.map { $0 * (1 - 1e-6) },
                seed: seed
            ).count { $0 }
        }
        #expect(try broken(network.pairCertifier(norm)) == 0)
        #expect(try broken(network.lipschitzCertifier(norm)) == 0)
        let rows = MatrixMap(
            rows: LinearClassifier.classes, columns: LinearClassifier.size,
            elements: linear.weights.flatMap { $0 })
        let halved = PairConstants(rows: rows, constant: network.units.largestStretch / 2, norm: norm)
        #expect(
            try broken(LipschitzCertifier(network.logits, constants: halved, norm: norm)) == samples.count)
    }

    /// Half of either layer's norm is caught, where their product is attained.
    @Test(arguments: [UInt64(1), 2]) func halvedLayersAreCaught(seed: UInt64) throws {
        let network = try ReflectedClassifier(seed: seed)
        let samples = Array(0..<network.data.sampleCount)
        let certified = try CertifiedNetwork(
            network.graph, dataset: network.data, units: InputUnits(network.data, range: -1000...1000),
            lane: Lane(threads: 1))
        #expect(certified.layers.count == 2)
        let attack = ProjectedGradientDescent(
            norm: .euclidean, steps: 60, restarts: 1, targets: ReflectedClassifier.classes - 1)
        func broken(first: Double, last: Double) throws -> Int {
            guard case .matrix(let rows) = certified.layers[1].map else { return -1 }
            let scaled = MatrixMap(
                rows: rows.rows, columns: rows.columns, elements: rows.elements.map { $0 * last })
            let constants = PairConstants(
                rows: scaled, constant: certified.norms[0].upper * first, norm: .euclidean)
            let radii = LipschitzCertifier(certified.logits, constants: constants, norm: .euclidean).radii
            return try attack.succeeds(
                on: certified.attacked, samples: samples, radii: radii.map { $0 * (1 - 1e-6) }, seed: seed
            ).count { $0 }
        }
        #expect(try broken(first: 1, last: 1) == 0)
        #expect(try broken(first: 0.5, last: 1) > samples.count / 2)
        #expect(try broken(first: 1, last: 0.5) > samples.count / 2)
    }

    /// On networks whose bounds are loose: what is found stays below what is proven, and attacks find nothing in proven radii.
    @Test(arguments: ["tiny-cnn", "lenet-300-100"], VectorNorm.allCases)
    func proofsHoldForNetworks(name: String, norm: VectorNorm) throws {
        let options = ArchitectureOptions(channels: 1, height: 8, width: 8, classCount: 10, seed: 5)
        let graph = try #require(Architectures.named(name)).graph(options)
        let data = try DataSource("digits").load(.test, options: LoadOptions())
        let network = try CertifiedNetwork(graph, dataset: data, lane: Lane(threads: 1))
        let samples = Array(0..<data.sampleCount)
        let upper = try network.lipschitzConstant(norm)
        let lower = try LipschitzSearch(norm: norm).largestSlope(of: network.attacked, samples: samples)
        #expect(lower > 0 && lower < upper)
        let attack = ProjectedGradientDescent(norm: norm, steps: 10, restarts: 1)
        // Others have tests of their own.
        for kind in Certificate.all where kind.name.hasPrefix("lipschitz") {
            let certifier = try kind.certifier(network, norm)
            let radii = try certifier.largestRadii(samples: samples, largest: 10, halvings: 6)
            #expect(radii.contains { $0 > 0 })
            let proven = samples.filter { radii[$0] > 0 }
            let broken = try attack.succeeds(
                on: network.attacked, samples: proven, radii: proven.map { radii[$0] }, seed: 1)
            #expect(!broken.contains(true), "\(kind.name)")
            // Nothing is proven of what is wrong anyhow.
            #expect(samples.allSatisfy { network.logits.margin($0) > 0 || radii[$0] == 0 })
        }
    }

    /// What is kept for the rounding of float32 is an order of magnitude more than it is.
    @Test(arguments: ["tiny-cnn", "lenet-300-100", "lenet-5", "resnet-20"])
    func outputsAreNearThoseInDoublePrecision(name: String) throws {
        let graph = try ArchitectureNormTests.network(name, seed: 3).graph
        var random = RandomSource(seed: 3)
        let values = (0..<(2 * 784)).map { _ in Float(random.normal()) }
        let data = try Dataset(
            name: "noise",
            inputs: [.init(name: "x", values: Tensor(shape: [2, 1, 28, 28], scalars: values))],
            labels: .classes([0, 1], count: 10))
        let logits = try AttackedNetwork(graph, dataset: data, lane: Lane(threads: 1)).logits()
        for sample in 0..<2 {
            let input = try #require(graph.inputs.first)
            let x = Tensor(
                shape: [1, 1, 28, 28], scalars: Array(values[(sample * 784)..<((sample + 1) * 784)]))
            let exact = try #require(
                try ReferenceRunner.values(of: graph, inputs: [input: x], inDouble: true)[graph.outputs[0]]
            ).scalars(as: Double.self)
            let largest = exact.map(abs).max() ?? 0
            for (column, value) in exact.enumerated() {
                #expect(abs(logits[sample, column] - value) < Logits.roundingShare / 10 * largest)
            }
        }
    }

    /// By halving, what is told was proven, and is near the largest that is.
    @Test func radiiAreFoundByHalving() throws {
        final class Fixed: Certifier {
            let name = "fixed"
            let norm = VectorNorm.euclidean
            let radii = [0.0, 0.3, 5]
            func certifies(samples: [Int], radii: [Double]) -> [Bool] {
                zip(samples, radii).map { self.radii[$0] > $1 }
            }
        }
        let certifier = Fixed()
        let found = try certifier.largestRadii(samples: [0, 1, 2], largest: 2, halvings: 20)
        #expect(found[0] == 0 && found[2] == 2)
        #expect(found[1] < 0.3 && found[1] > 0.3 - 1e-5)
        #expect(try certifier.accuracy(samples: [0, 1, 2], radius: 0.2) == 2.0 / 3)
    }

    /// Of every sample that stays right the radius changes by exactly what margin and constant say; what flips is counted.
    @Test(arguments: [UInt64(1), 2, 3]) func changesOfRadiiAreThoseOfBothSides(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let before = (0..<100).map { _ in random.normal() }
        let after = (0..<100).map { _ in random.normal() }
        let constants = (before: 1 + 99 * random.uniform(), after: 1 + 99 * random.uniform())
        let change = RobustnessChange(margins: before, after, constants: constants)
        #expect(change.samples == (0..<100).filter { before[$0] > 0 && after[$0] > 0 })
        for (place, sample) in change.samples.enumerated() {
            #expect(
                abs(change.radii[place] - (change.margins[place] - change.lipschitz)) < 1e-13, "seed \(seed)")
            let ratio = after[sample] / constants.after / (before[sample] / constants.before)
            #expect(abs(change.radii[place] - log(ratio)) < 1e-13, "seed \(seed)")
        }
        #expect(change.lost == zip(before, after).count { $0 > 0 && $1 <= 0 })
        #expect(change.gained == zip(before, after).count { $0 <= 0 && $1 > 0 })
    }
}
