import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// W1 times c and W2 divided by c compute the same: which scores notice is what the table in `docs/criteria.md` says.
struct RescalingTests {
    /// relu(x W1 + b1) W2, with the first layer scaled up and the second down.
    private struct Fixture {
        let graph: Graph
        let evidence: Evidence

        init(_ criterion: any Criterion, factor: Float) throws {
            var random = RandomSource(seed: 12)
            func draw(_ shape: Shape, times factor: Float = 1) -> Tensor {
                Tensor(
                    shape: shape, scalars: (0..<shape.count).map { _ in factor * Float(random.normal()) })
            }
            var builder = GraphBuilder(name: "two layers")
            let x = builder.input(
                "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(5)]))
            let first = builder.constant("first", draw([5, 4], times: factor))
            let bias = builder.constant("bias", draw([4], times: factor))
            let second = builder.constant("second", draw([4, 3], times: 1 / factor))
            let hidden = builder.node("Relu", inputs: [builder.node("Gemm", inputs: [x, first, bias])])
            let output = builder.node("Gemm", inputs: [hidden, second])
            graph = try builder.finish(outputs: [output])
            let dataset = try Dataset(
                name: "noise", inputs: [.init(name: "x", values: draw([20, 5]))],
                labels: .classes((0..<20).map { Int32($0 % 3) }, count: 3))
            evidence = try EvidenceCollector(
                dataset, loss: CrossEntropy(), seed: 3, lane: Lane(threads: 1)
            ).collect(criterion.requiredEvidence, from: graph)
        }

        func elementScores(_ criterion: any Criterion) throws -> [Double] {
            let scene = ScoringScene(graph, evidence: evidence)
            return try ["first", "second"].flatMap { name in
                let id = try #require(graph.value(named: name)).id
                return try criterion.elementScores(of: try #require(scene.parameter(id)), scene: scene)
                    .map { Double($0) }
            }
        }

        func unitScores(_ criterion: any Criterion) throws -> [Double] {
            let group = try #require(try Pruner(graph).groups.open.first)
            return try criterion.unitScores(of: group, scene: ScoringScene(graph, evidence: evidence))
        }
    }

    private static func verdict(_ one: [Double], _ other: [Double]) -> String {
        let largest = one.map(\.magnitude).max() ?? 0
        let isUnchanged = zip(one, other).allSatisfy { abs($0 - $1) <= 1e-4 * largest }
        return isUnchanged ? "unchanged" : "changes"
    }

    /// The rows of the table: a criterion's name, and what happens to scores of weights and of units.
    private static let table: [String: [String]] = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text =
            (try? String(contentsOf: root.appendingPathComponent("docs/criteria.md"), encoding: .utf8)) ?? ""
        var rows: [String: [String]] = [:]
        for line in text.split(separator: "\n") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, cells[0].hasPrefix("`"), ["unchanged", "changes", "—"].contains(cells[1])
            else { continue }
            rows[cells[0].trimmingCharacters(in: CharacterSet(charactersIn: "`"))] = Array(cells[1...])
        }
        return rows
    }()

    /// Sums along a path of training, which itself changes; and what needs a batch norm, of which there is none.
    private static let others: Set<String> = ["movement", "saliency-journey", "bn-scale"]

    @Test(arguments: Criteria.all.map { $0.information.id }.filter { !others.contains($0) })
    func scoresChangeAsTheTableSays(id: String) throws {
        let said = try #require(Self.table[id], "\(id) is not in the table of docs/criteria.md")
        let criterion = try Criteria.criterion(id, seed: 1)
        let (plain, scaled) = (try Fixture(criterion, factor: 1), try Fixture(criterion, factor: 4))
        var found = ["—", "—"]
        if type(of: criterion).granularities.contains(.element) {
            found[0] = Self.verdict(try plain.elementScores(criterion), try scaled.elementScores(criterion))
        }
        found[1] = Self.verdict(try plain.unitScores(criterion), try scaled.unitScores(criterion))
        #expect(found == said, "weights, units")
    }
}
