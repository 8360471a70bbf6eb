import EspalierReports
import EspalierRuns
import Foundation
import Testing

struct RobustnessReportTests {
    private static func network(_ name: String, upper: Double?, margins: [Float]) -> RunRecord.RobustNetwork {
        let points = [(0.0, 0.9), (8.0 / 255, 0.5)].map {
            RunRecord.RobustAccuracy(epsilon: $0, accuracy: $1)
        }
        return .init(
            name: name, accuracy: 0.9, lipschitz: .init(upper: upper, lower: 3.5),
            layers: [.init(name: "fc<1>", spectralNorm: 1.618, lower: 1.61, maximumNorm: 2)],
            certified: points, attacked: points,
            certificates: [.init(name: "lipschitz", accuracies: points, seconds: 1)],
            attacks: [.init(name: "pgd", accuracies: points, seconds: 2)], margins: margins)
    }

    private static var robustness: RunRecord.Robustness {
        .init(
            norm: "l-infinity", epsilons: [0, 8.0 / 255], samples: 3, certificates: ["lipschitz"],
            attacks: ["pgd"],
            networks: [
                network("dense", upper: 20, margins: [-1, 2, 4]),
                network("pruned", upper: 10, margins: [1, 1, 2]),
            ])
    }

    private func html(_ robustness: RunRecord.Robustness) throws -> String {
        var record = RunRecord(
            command: "robustness", arguments: ["robustness"], espalierVersion: "0.1.0", date: "2026-01-01")
        record.robustness = robustness
        return try Report.html([record])
    }

    @Test func radiiAreWrittenAsPixels() {
        #expect(RobustnessTexts.radius(0) == "0")
        #expect(RobustnessTexts.radius(8.0 / 255) == "8/255")
        #expect(RobustnessTexts.radius(0.05) == "0.05")
        #expect(RobustnessTexts.radius(1) == "1")
    }

    /// A half of the margins over a half of the constant leaves the radii as they were.
    @Test func theSidesOfTheTradeOffAreTold() throws {
        var robustness = Self.robustness
        let half = log(0.5)
        let spread = RunRecord.RobustnessChange.Spread(mean: half, lower: half, median: half, upper: half)
        let none = RunRecord.RobustnessChange.Spread(mean: 0, lower: 0, median: 0, upper: 0)
        robustness.networks[1].change = .init(
            samples: 2, lost: 0, gained: 1, logMargin: spread, logLipschitz: half, logRadius: none)
        let verdict =
            "pruned against dense: Lipschitz radii × 1 = margins × 0.5 over Lipschitz constant × 0.5"
        #expect(RobustnessTexts.verdict(robustness.networks[1], against: "dense") == verdict)
        #expect(RobustnessTexts.verdict(robustness.networks[0], against: "dense") == nil)
        let change = try #require(RobustnessTexts(robustness).tables.first { $0.title == "What changed" })
        #expect(change.rows == [["pruned", "−0.693", "−0.693", "+0.000", "2", "0", "1"]])
        let page = try html(robustness)
        #expect(page.contains(verdict) && page.contains("8/255"))
        #expect(page.contains("fc&lt;1&gt;") && !page.contains("fc<1>"))
        #expect(page.contains("aria-label=\"Certified accuracy\""))
    }

    @Test func anUnknownConstantIsSaid() throws {
        var robustness = Self.robustness
        robustness.networks = [Self.network("dense", upper: nil, margins: [])]
        #expect(RobustnessTexts(robustness).tables[0].rows[0][2] == "unknown")
        #expect(try html(robustness).contains("aria-label=\"Accuracy of dense at each radius\""))
    }

    @Test func sweepsAreDrawnWithTheirSpread() throws {
        var robustness = Self.robustness
        robustness.networks.removeLast()
        func over(_ mean: Double) -> RunRecord.OverSeeds { .init(mean: mean, std: 0.25) }
        robustness.sweep = [
            .init(
                criterion: "magnitude",
                points: [0.5, 0.9].map { sparsity in
                    .init(
                        sparsity: sparsity, runs: 2, accuracy: over(0.5), lipschitzUpper: over(7),
                        lipschitzLower: over(2), certified: [.init(epsilon: 0, accuracy: over(0.5))],
                        attacked: [.init(epsilon: 0, accuracy: over(0.5))], logMargin: over(-0.5),
                        logLipschitz: over(-1), logRadius: over(0.5),
                        layers: [.init(name: "fc<1>", spectralNorm: over(2), maximumNorm: over(3))],
                        lost: over(0.5), gained: over(0))
                })
        ]
        let table = try #require(
            RobustnessTexts(robustness).tables.first { $0.title == "What pruning changed" })
        #expect(table.rows.map(\.first) == ["magnitude 50 %", "magnitude 90 %"])
        #expect(table.rows[0][3...5] == ["−0.500 ± 0.250", "−1.000 ± 0.250", "+0.500 ± 0.250"])
        let page = try html(robustness)
        #expect(page.contains("aria-label=\"Changes by magnitude, natural logarithms\""))
        #expect(page.contains("aria-label=\"Certified at a radius, magnitude\""))
        #expect(page.contains("fc&lt;1&gt;, parameters removed, % 90: 3"))
    }
}
