import Espalier
import EspalierKernels
import EspalierOperators
import EspalierRobustness
import Foundation
import Testing

/// A certificate that proves what is not so must not go unnoticed.
struct UnsoundCertificateTests {
    private final class Liar: Certifier {
        let name = "liar"
        let norm: VectorNorm
        init(norm: VectorNorm) { self.norm = norm }
        func certifies(samples: [Int], radii: [Double]) -> [Bool] { samples.map { _ in true } }
    }

    @Test(arguments: VectorNorm.allCases) func liesAreCaught(norm: VectorNorm) throws {
        // Searched slopes take a hundred times as long behind convolutions and max pooling.
        let folder = try TemporaryFolder()
        let trained = tool(
            "train", "--arch", "lenet-300-100", "--data", "digits", "--epochs", "2", "-o",
            folder("dense.onnx"), "--quiet")
        try #require(trained.code == 0, "\(trained.error)")
        let graph = try ONNXModel.load(from: folder("dense.onnx"))
        let data = try DataSource("digits").load(.test, options: LoadOptions())
        func measured(_ certificates: [Certificate]) throws -> RunRecord.RobustNetwork {
            let measurement = RobustnessMeasurement(
                norm: norm, epsilons: [0, 0.1, 1], certificates: certificates, attacks: AttackKind.all,
                effort: .init(steps: 4, restarts: 0), sampleCount: 10)
            return try measurement.measure(
                graph, name: "dense", on: try measurement.samples(of: data), lane: Lane(threads: 1))
        }
        let liar = Certificate(
            name: "liar", explanation: "says so", certifier: { _, norm in Liar(norm: norm) })
        let found = try #require(try measured([liar]).contradictions)
        #expect(found.contains { $0.contains("pgd breaks") && $0.contains("liar proves") })
        #expect(try measured(Certificate.all).contradictions == nil)
    }

    /// The same samples for every network, each class with its share.
    @Test func samplesAreTheSameForAllNetworks() throws {
        let data = try DataSource("digits").load(.test, options: LoadOptions())
        func classes(_ count: Int, seed: UInt64) throws -> [Int32] {
            let measurement = RobustnessMeasurement(
                norm: .euclidean, epsilons: [0], certificates: [], attacks: [], sampleCount: count, seed: seed
            )
            guard case .classes(let classes, _) = try measurement.samples(of: data).labels else { return [] }
            return classes
        }
        #expect(try classes(50, seed: 1) == classes(50, seed: 1))
        #expect(try classes(0, seed: 1).count == data.sampleCount)
        let counts = Dictionary(grouping: try classes(50, seed: 2), by: { $0 }).mapValues(\.count)
        #expect(counts.count == 10 && counts.values.allSatisfy { (4...6).contains($0) })
    }
}
