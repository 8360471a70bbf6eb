import EspalierArchives
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// Against what NumPy and PyTorch make of the formulas: Tools/goldens/criteria.py.
struct ActivationGoldenTests {
    private let archive: NpzArchive
    private let graph: Graph
    private let dataset: Dataset

    init() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Fixtures/criteria.npz")
        let archive = try NpzArchive(contentsOf: path.path)
        var builder = GraphBuilder(name: "two convolutions, two layers")
        func constant(_ name: String) throws -> ValueID {
            builder.constant(name, try archive.tensor(name))
        }
        var value = builder.input(
            "x",
            type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(2), .fixed(12), .fixed(12)]))
        for (name, groups) in [("conv1", 1), ("conv2", 2)] {
            value = builder.node(
                "Conv", name: name,
                inputs: [value, try constant("\(name).weight"), try constant("\(name).bias")],
                attributes: [
                    "strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1]), "group": .int(Int64(groups)),
                ])
            value = builder.node("Relu", inputs: [value])
        }
        value = builder.node("Flatten", inputs: [value])
        let transposed: [String: Attribute] = ["transB": .int(1)]
        value = builder.node(
            "Gemm", name: "fc1", inputs: [value, try constant("fc1.weight"), try constant("fc1.bias")],
            attributes: transposed)
        value = builder.node("Relu", inputs: [value])
        value = builder.node(
            "Gemm", name: "fc2", inputs: [value, try constant("fc2.weight")], attributes: transposed)
        graph = try builder.finish(outputs: [value])
        dataset = try Dataset(name: "noise", inputs: [.init(name: "x", values: try archive.tensor("x"))])
        self.archive = archive
    }

    private static let weights = ["conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight"]

    private func expected(_ name: String) throws -> [Double] {
        try archive.tensor(name).scalars(as: Double.self)
    }

    /// Batches of 5 leave one of 3.
    private func scene(_ criterion: any Criterion, batchSize: Int = 5) throws -> ScoringScene {
        let evidence = try EvidenceCollector(dataset, batchSize: batchSize, lane: Lane(threads: 1))
            .collect(criterion.requiredEvidence, from: graph)
        return ScoringScene(graph, evidence: evidence)
    }

    private func elementScores(_ criterion: any Criterion, of name: String) throws -> [Double] {
        let scene = try scene(criterion)
        let value = try #require(graph.value(named: name)).id
        return try criterion.elementScores(of: try #require(scene.parameter(value)), scene: scene)
            .map { Double($0) }
    }

    private func unitScores(_ criterion: any Criterion, group name: String) throws -> [Double] {
        let group = try #require(try Pruner(graph).groups[name])
        return try criterion.unitScores(of: group, scene: try scene(criterion))
    }

    private func expectClose(_ actual: [Double], _ expected: [Double], relative: Double = 1e-5) {
        #expect(actual.count == expected.count)
        let scale = expected.map(abs).max() ?? 0
        for (index, pair) in zip(actual, expected).enumerated() {
            #expect(abs(pair.0 - pair.1) <= relative * scale, "\(index): \(pair.0), not \(pair.1)")
        }
    }

    @Test(arguments: weights)
    func inputNormsAreThoseOfUnfoldedPatches(name: String) throws {
        let scene = try scene(Wanda())
        let value = try #require(graph.value(named: name)).id
        let norms = try #require(scene.evidence[.inputNorms][value])
        expectClose(norms.scalars(as: Double.self), try expected("norms/\(name)"))
        expectClose(try elementScores(Wanda(), of: name), try expected("wanda/\(name)"))
    }

    @Test(arguments: weights)
    func lamp(name: String) throws {
        expectClose(try elementScores(LayerAdaptiveMagnitude(), of: name), try expected("lamp/\(name)"))
    }

    /// In every row of every weight the smaller half of |w| times the norm goes, whatever the scope.
    /// Ranks within rows tell no layer from another; the knapsack goes by what layers cost, all other scopes take the same shares.
    @Test(arguments: Scopes.all.map { $0.information.id }.filter { $0 != KnapsackScope.information.id })
    func wandaComparesWithinRows(scope: String) throws {
        let pruner = try Pruner(graph)
        let request = PruningRequest(
            .element, targets: [.sparsity(0.5)], criterion: Wanda(), scope: try Scopes.scope(scope))
        let masks = try pruner.masks(of: try pruner.plan(request, evidence: try scene(Wanda()).evidence))
        // With an odd number in a row not all can lose half; such rows and shapes' own shares are left out.
        guard scope != ErdosRenyiScope.information.id else { return }
        for name in ["conv1.weight", "fc1.weight"] {
            let value = try #require(graph.value(named: name)).id
            let kept = try #require(masks[value]).kept.map { $0 ? 1.0 : 0.0 }
            #expect(kept == (try expected("kept/\(name)")), "\(name)")
        }
    }

    @Test func fpgm() throws {
        expectClose(
            try unitScores(GeometricMedianDistance(), group: "fc1.weight"), try expected("fpgm/fc1.weight"))
    }

    /// conv1's channels are tied in pairs by the grouped convolution behind it, each pair a unit.
    @Test func firingOfSingleChannels() throws {
        let scores = try unitScores(FiringProbability(), group: "fc1.weight")
        expectClose(scores, try expected("shares/fc1.weight"), relative: 1e-6)
        expectClose(scores, try expected("samples/fc1.weight"), relative: 1e-6)
    }

    @Test(arguments: [1, 5, 13])
    func firingOfMaps(batchSize: Int) throws {
        let scene = try scene(FiringProbability(), batchSize: batchSize)
        let pruner = try Pruner(graph)
        for name in ["conv1.weight", "conv2.weight"] {
            let group = try #require(pruner.groups[name])
            let scores = try FiringProbability().unitScores(of: group, scene: scene)
            let (samples, shares) = (try expected("samples/\(name)"), try expected("shares/\(name)"))
            let filters = try #require(group.members.first { $0.role == .producer })
            for unit in 0..<group.size where filters.indexCount(ofUnit: unit) == 1 {
                let index = try #require(filters.indices(ofUnit: unit).first)
                let score = (13 * samples[index] + shares[index]) / 14
                #expect(abs(scores[unit] - score) < 1e-6)
            }
        }
    }

    @Test func zerosAndRanks() throws {
        let pruner = try Pruner(graph)
        let group = try #require(
            pruner.groups.open.first { $0.members.contains { $0.name == "conv1.weight" } })
        let filters = try #require(group.members.first { $0.name == "conv1.weight" && $0.role == .producer })
        let zeros = try AveragePercentageOfZeros().unitScores(
            of: group, scene: scene(AveragePercentageOfZeros()))
        let ranks = try FeatureMapRank().unitScores(of: group, scene: scene(FeatureMapRank()))
        for unit in 0..<group.size {
            // The mean over a unit's channels, which have equally many elements.
            let channels = Array(filters.indices(ofUnit: unit))
            func mean(_ name: String) throws -> Double {
                let numbers = try expected(name)
                return channels.reduce(0) { $0 + numbers[$1] } / Double(channels.count)
            }
            #expect(abs(zeros[unit] - (1 - (try mean("zeros/conv1.weight")))) < 1e-6)
            #expect(abs(ranks[unit] - (try mean("ranks/conv1.weight"))) < 1e-6)
        }
    }

    @Test func ranksOfMatrices() throws {
        let stored = try archive.tensor("matrices").scalars(as: Float.self)
        let shapes = try archive.tensor("matrixShapes").scalars(as: Int64.self).map { Int($0) }
        let ranks = try archive.tensor("matrixRanks").scalars(as: Int64.self).map { Int($0) }
        for (index, rank) in ranks.enumerated() {
            let (rows, columns) = (shapes[2 * index], shapes[2 * index + 1])
            let matrix = (0..<rows).flatMap { row in
                (0..<columns).map { stored[index * 144 + row * 12 + $0] }
            }
            var measure = MatrixRank(rows: rows, columns: columns)
            #expect(matrix.withUnsafeBufferPointer { measure.rank($0) } == rank, "matrix \(index)")
            // Scaling and transposing change nothing.
            let turned = (0..<columns).flatMap { column in
                (0..<rows).map { matrix[$0 * columns + column] * 1e-12 }
            }
            var other = MatrixRank(rows: columns, columns: rows)
            #expect(turned.withUnsafeBufferPointer { other.rank($0) } == rank, "matrix \(index), turned")
        }
    }
}
