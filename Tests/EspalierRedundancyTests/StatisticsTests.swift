import EspalierArchives
import EspalierRedundancy
import EspalierTensors
import Foundation
import Testing

struct StreamingCovarianceTests {
    /// Batches of any size give what the definition gives on all observations at once, also far from zero.
    @Test(arguments: [1, 3, 64, 1000], [0.0, 1e6])
    func batchesDoNotMatter(batchSize: Int, offset: Double) throws {
        var random = RandomSource(seed: 1)
        let (count, variables) = (1000, 5)
        var rows: [[Double]] = []
        for _ in 0..<count {
            let shared = random.normal()
            rows.append((0..<variables).map { offset + Double($0) * shared + random.normal() })
        }
        var streaming = StreamingCovariance(variableCount: variables)
        for start in stride(from: 0, to: count, by: batchSize) {
            var batch = rows[start..<min(start + batchSize, count)].flatMap { $0 }
            streaming.add(&batch)
        }
        #expect(streaming.count == count)
        let means = (0..<variables).map { i in rows.reduce(0) { $0 + $1[i] } / Double(count) }
        for i in 0..<variables {
            #expect(abs(streaming.means[i] - means[i]) < 1e-9 * max(1, offset))
            for j in 0..<variables {
                let expected = rows.reduce(0) { $0 + ($1[i] - means[i]) * ($1[j] - means[j]) } / Double(count)
                #expect(abs(streaming.covariance(i, j) - expected) < 1e-7)
            }
        }
    }

    @Test func constantsAreToldFromSmallChanges() {
        var covariance = StreamingCovariance(variableCount: 3)
        for step in 0..<7 {
            var row = [0.1, 1 + 1e-3 * Double(step), step == 3 ? 1e-4 : 0]
            covariance.add(&row)
        }
        #expect((0..<3).map { covariance.isConstant($0) } == [true, false, false])
        #expect(covariance.correlation(0, 1) == 0)
    }
}

/// Against SciPy: Tools/goldens/average_linkage.py.
struct AverageLinkageTests {
    @Test(arguments: 0..<5)
    func treesAreThoseOfSciPy(number: Int) throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/average_linkage.npz").path
        let archive = try NpzArchive(contentsOf: path)
        func values(_ name: String) throws -> [Double] {
            try archive.tensor("\(number)/\(name)").scalars(as: Double.self)
        }
        let distances = try values("distances")
        let heights = try values("heights")
        let count = heights.count + 1
        let tree = AverageLinkage(itemCount: count) { distances[$0 * count + $1] }
        #expect(tree.merges.count == heights.count)
        for (merge, height) in zip(tree.merges, heights) { #expect(abs(merge.height - height) < 1e-12) }
        let labels = try values("labels")
        for (row, threshold) in try values("thresholds").enumerated() {
            let expected = Dictionary(grouping: 0..<count) { labels[row * count + $0] }
                .values.sorted { $0[0] < $1[0] }
            #expect(tree.clusters(upTo: threshold) == expected)
        }
    }

    @Test func noneAndOne() {
        #expect(AverageLinkage(itemCount: 0) { _, _ in 0 }.clusters(upTo: 1).isEmpty)
        #expect(AverageLinkage(itemCount: 1) { _, _ in 0 }.clusters(upTo: 1) == [[0]])
    }

    /// Items that are equally far from each other end up together, whatever the ties.
    @Test func tiesEnd() {
        let tree = AverageLinkage(itemCount: 30) { _, _ in 0.25 }
        #expect(tree.clusters(upTo: 0.25) == [Array(0..<30)])
        #expect(tree.clusters(upTo: 0.2).count == 30)
    }
}

struct LinearPredictionTests {
    /// x2 = 3 x0 - 2 x1 + 5 + noise, x3 a copy of x0.
    private func observations(_ count: Int, noise: Double, seed: UInt64) -> StreamingCovariance {
        var random = RandomSource(seed: seed)
        var rows: [Double] = []
        for _ in 0..<count {
            let (a, b) = (random.normal(), random.normal() + 2)
            rows += [a, b, 3 * a - 2 * b + 5 + noise * random.normal(), a]
        }
        var covariance = StreamingCovariance(variableCount: 4)
        covariance.add(&rows)
        return covariance
    }

    @Test(arguments: [UInt64(1), 2])
    func whatIsLinearIsPredicted(seed: UInt64) {
        let fit = observations(500, noise: 0, seed: seed)
        let other = observations(200, noise: 0, seed: seed + 10)
        // The copy adds nothing, and is left out instead of spoiling the factor.
        let prediction = LinearPrediction(fit, from: [0, 1, 3])
        #expect(prediction.predictors == [0, 1])
        let target = LinearPrediction.Target(variables: [2], weights: [1])
        let coefficients = prediction.coefficients(of: target)
        #expect(abs(coefficients[0] - 3) < 1e-9 && abs(coefficients[1] + 2) < 1e-9)
        #expect(abs(prediction.determination(of: target, on: other) - 1) < 1e-9)
    }

    /// var(3a - 2b) is 13, so noise of variance v leaves R^2 = 13 / (13 + v); without x1 9 / (13 + v).
    @Test(arguments: [UInt64(1), 2])
    func determinationIsTheShareExplained(seed: UInt64) {
        let fit = observations(20_000, noise: 2, seed: seed)
        let other = observations(20_000, noise: 2, seed: seed + 10)
        let target = LinearPrediction.Target(variables: [2], weights: [1])
        let both = LinearPrediction(fit, from: [0, 1]).determination(of: target, on: other)
        #expect(abs(both - 13.0 / 17) < 0.015)
        let one = LinearPrediction(fit, from: [0]).determination(of: target, on: other)
        #expect(abs(one - 9.0 / 17) < 0.015)
        let none = LinearPrediction(fit, from: []).determination(of: target, on: other)
        #expect(abs(none) < 0.01)
    }

    /// Fitted to the one and judged on the other, an intercept that is no longer right costs.
    @Test func heldOutDataMayDiffer() {
        var fitRows = (0..<50).flatMap { [Double($0), Double($0)] }
        var otherRows = (0..<50).flatMap { [Double($0), Double($0) + 100] }
        var (fit, other) = (StreamingCovariance(variableCount: 2), StreamingCovariance(variableCount: 2))
        fit.add(&fitRows)
        other.add(&otherRows)
        let target = LinearPrediction.Target(variables: [1], weights: [1])
        #expect(LinearPrediction(fit, from: [0]).determination(of: target, on: fit) > 0.999)
        #expect(LinearPrediction(fit, from: [0]).determination(of: target, on: other) < -10)
    }
}

struct FunctionalGroupTests {
    /// Three copies (one negated), a pair, one alone and two constants.
    private func covariance(seed: UInt64) -> StreamingCovariance {
        var random = RandomSource(seed: seed)
        var rows: [Double] = []
        for _ in 0..<2000 {
            let (a, b, c) = (random.normal(), random.normal(), random.normal())
            rows += [a, b, 1.5, -2 * a + 7, 0, c, a + 0.1 * random.normal(), b + 0.1 * random.normal()]
        }
        var covariance = StreamingCovariance(variableCount: 8)
        covariance.add(&rows)
        return covariance
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func plantedGroupsAreFound(seed: UInt64) throws {
        let groups = try FunctionalGroups(covariance(seed: seed), tau: 0.9).groups
        #expect(groups.map(\.units) == [[0, 3, 6], [1, 7], [5], [2, 4]])
        #expect(groups.map(\.isConstant) == [false, false, false, true])
        #expect(groups[0].signs == [1, -1, 1])
    }

    @Test func tauDecides() throws {
        let covariance = covariance(seed: 1)
        #expect(
            try FunctionalGroups(covariance, tau: 1).varying.map(\.units) == [[0, 3], [1], [5], [6], [7]])
        #expect(try FunctionalGroups(covariance, tau: 0).varying.map(\.units) == [[0, 1, 3, 5, 6, 7]])
        for tau in [-0.1, 1.1, .nan] {
            #expect(throws: RedundancyError.self) { try FunctionalGroups(covariance, tau: tau) }
        }
    }
}
