import EspalierArchives
import EspalierGraphs
import EspalierKernels
import EspalierONNX
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// Scores of every gradient criterion against PyTorch's automatic differentiation in double precision; see
/// `Tools/goldens/gradient_criteria.py`.
struct GradientGoldenTests {
    private static let weights = ["conv1.weight", "conv2.weight", "fc.weight"]

    private struct Fixture {
        let graph: Graph
        let dataset: Dataset
        let archive: NpzArchive

        init() throws {
            let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
            graph = try ONNXModel.load(from: folder.appending(path: "gradient-criteria.onnx").path)
            archive = try NpzArchive(contentsOf: folder.appending(path: "gradient-criteria.npz").path)
            let labels = try archive.tensor("y").scalars(as: Int64.self).map { Int32($0) }
            dataset = try Dataset(
                name: "golden", inputs: [.init(name: "x", values: try archive.tensor("x"))],
                labels: .classes(labels, count: 3))
        }

        /// - Parameter batchSize: 5 of 12 samples leaves a batch of 2.
        func scene(_ criterion: any Criterion, batchSize: Int = 5) throws -> ScoringScene {
            ScoringScene(
                graph,
                evidence: try EvidenceCollector(
                    dataset, loss: CrossEntropy(), batchSize: batchSize, lane: Lane(threads: 1)
                ).collect(criterion.requiredEvidence, from: graph))
        }

        func parameter(_ name: String, _ scene: ScoringScene) throws -> ScoredParameter {
            let id = try #require(graph.value(named: name)).id
            return try #require(scene.parameter(id))
        }
    }

    /// - Parameter tolerance: in shares of the largest score of a tensor.
    private func expect(_ actual: [Double], _ expected: Tensor, tolerance: Double, _ label: String) {
        let expected = expected.scalars(as: Double.self)
        #expect(actual.count == expected.count)
        let largest = expected.map(\.magnitude).max() ?? 0
        let error = zip(actual, expected).map { ($0 - $1).magnitude }.max() ?? 0
        #expect(error <= tolerance * largest, "\(label): off by \(error) of \(largest)")
    }

    /// With the tolerance: rounding of single precision, and for GraSP also of differences.
    private static let criteria: [(String, Double)] = [
        ("saliency", 1e-5), ("taylor", 1e-5), ("taylor-absolute", 1e-5), ("fisher", 1e-5),
        ("sensitivity", 1e-5), ("obd", 1e-5), ("snip", 1e-5), ("grasp", 1e-2), ("synflow", 1e-5),
        ("wood-fisher", 1e-3),
    ]

    @Test(arguments: criteria)
    func scoresAreThoseOfPyTorch(id: String, tolerance: Double) throws {
        let fixture = try Fixture()
        let criterion = try Criteria.criterion(id)
        let scene = try fixture.scene(criterion)
        // The published score of synaptic flow is the share times the flow, a number for the whole network.
        func scaled(_ expected: Tensor, _ actual: [Double]) -> [Double] {
            guard id == SynFlow.information.id else { return actual }
            let sum = expected.scalars(as: Double.self).reduce(0, +) / actual.reduce(0, +)
            return actual.map { $0 * sum }
        }
        for name in Self.weights {
            let parameter = try fixture.parameter(name, scene)
            let scores = try criterion.elementScores(of: parameter, scene: scene).map(Double.init)
            let expected = try fixture.archive.tensor("\(id)/\(name)")
            expect(scaled(expected, scores), expected, tolerance: tolerance, "\(id) of \(name)")
        }
        for group in try Pruner(fixture.graph).groups.open {
            let scores = try criterion.unitScores(of: group, scene: scene)
            let expected = try fixture.archive.tensor("\(id)/units/\(group.id)")
            expect(scaled(expected, scores), expected, tolerance: tolerance, "\(id) of units of \(group.id)")
        }
    }

    @Test func woodFisherMovesTheOtherWeights() throws {
        let fixture = try Fixture()
        let scene = try fixture.scene(WoodFisher())
        for name in Self.weights {
            let parameter = try fixture.parameter(name, scene)
            let mask = Mask(
                shape: parameter.tensor.shape, kept: (0..<parameter.tensor.count).map { $0 % 3 != 0 })
            let moved = try WoodFisher().compensated(parameter, mask: mask, scene: scene)
            expect(
                moved.scalars(as: Double.self),
                try fixture.archive.tensor("wood-fisher/compensated/\(name)"), tolerance: 1e-3, name)
        }
    }

    /// Evidence is a mean over samples, whatever batches they come in.
    @Test(arguments: ["saliency", "fisher", "fisher-sampled", "sensitivity", "sensitivity-probed", "grasp"])
    func batchesDoNotMatter(id: String) throws {
        let fixture = try Fixture()
        let criterion = try Criteria.criterion(id)
        let (one, other) = (
            try fixture.scene(criterion, batchSize: 12), try fixture.scene(criterion, batchSize: 1)
        )
        for name in Self.weights {
            let parameter = try fixture.parameter(name, one)
            let scores = try criterion.elementScores(of: parameter, scene: one).map(Double.init)
            let same = try criterion.elementScores(of: parameter, scene: other).map(Double.init)
            expect(
                scores, Tensor(shape: [same.count], scalars: same), tolerance: id == "grasp" ? 1e-2 : 1e-5,
                "\(id) of \(name)")
        }
    }

    /// Draws are unbiased: the mean over seeds lies within 4 of its own standard errors of the exact mean.
    @Test(arguments: [
        (EvidenceKind.sampledFisherDiagonal, EvidenceKind.fisherDiagonal),
        (.probedSquaredJacobian, .squaredJacobian),
    ])
    func drawsAreUnbiased(drawn: EvidenceKind, exact: EvidenceKind) throws {
        let fixture = try Fixture()
        let repetitions = 200
        let lane = try Lane(threads: 1)
        // Of the last layer's weights the square does not depend on the signs.
        let id = try #require(fixture.graph.value(named: "conv2.weight")).id
        func measured(_ kind: EvidenceKind, seed: UInt64) throws -> [Double] {
            let evidence = try EvidenceCollector(
                fixture.dataset, loss: CrossEntropy(), seed: seed, probeCount: 2, lane: lane
            ).collect([kind], from: fixture.graph)
            return try #require(evidence[kind][id]).scalars(as: Double.self)
        }
        let expected = try measured(exact, seed: 0)
        var sums = [Double](repeating: 0, count: expected.count)
        var squares = sums
        for seed in 1...repetitions {
            for (index, value) in try measured(drawn, seed: UInt64(seed)).enumerated() {
                sums[index] += value
                squares[index] += value * value
            }
        }
        for index in expected.indices {
            let mean = sums[index] / Double(repetitions)
            let variance = max(0, squares[index] / Double(repetitions) - mean * mean)
            let error = (variance / Double(repetitions)).squareRoot()
            #expect(abs(mean - expected[index]) <= 4 * error + 1e-9, "element \(index)")
        }
        // And they are draws: another seed gives other numbers.
        #expect(try measured(drawn, seed: 1) != measured(drawn, seed: 2))
    }
}
