import EspalierReports
import EspalierRuns
import Foundation
import Testing

/// Records as files may have them: networks that diverged, many layers, numbers that no quantity has.
struct OddNumberTests {
    private static var record: RunRecord {
        RunRecord(
            command: "train", arguments: ["train"], espalierVersion: "0.1.0", date: "2026-01-01T00:00:00Z")
    }

    private func drawings(_ record: RunRecord) throws -> [String] {
        try Report.html([record]).matches(of: /<svg .*?<\/svg>/.dotMatchesNewlines()).map {
            String($0.output)
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e30, 1e308, -1e308, .leastNonzeroMagnitude])
    func anyNumberIsRendered(value: Double) throws {
        var record = Self.record
        record.elapsedSeconds = value
        record.accuracy = value
        let losses: [(epoch: Int, loss: Double)] = [(1, 0.5), (2, value), (Int.max, 0.25)]
        record.epochs = losses.map {
            RunRecord.Epoch(epoch: $0.epoch, trainingLoss: $0.loss, learningRate: value, seconds: value)
        }
        record.firing = (0..<2).map { layer in
            RunRecord.Firing(
                name: "\(layer)", dead: .max, nearlyDead: .max, samples: [value, 0.5], shares: [0.25, value],
                saliency: [value, 2], pearson: value, spearman: value)
        }
        record.curves = [
            .init(
                criterion: "magnitude",
                points: [0.5, value].map {
                    RunRecord.CurvePoint(
                        sparsity: $0, mean: value, std: value, runs: 2, validation: value,
                        effectiveMacs: value, difference: .init(mean: value, low: value, high: 1))
                }, decisionSeconds: value)
        ]
        let spread = RunRecord.OverSeeds(mean: value, std: value)
        let result = RunRecord.TicketResult(
            mean: value, std: value, runs: 2, validation: value, earlyStep: spread, earlyAccuracy: spread)
        record.rounds = [1, value].enumerated().map { round, remaining in
            RunRecord.LotteryRound(round: round, remaining: remaining, results: ["winning": result])
        }
        record.lottery = .init(
            methods: ["winning"], margin: value, smallestMatching: [:], densities: [], overlaps: [],
            tickets: [])
        record.robustness = .init(
            norm: "l2", epsilons: [0, value], samples: 3, certificates: [], attacks: [],
            networks: [
                .init(
                    name: "dense", accuracy: value, lipschitz: .init(upper: value, lower: value),
                    layers: [.init(name: "fc", spectralNorm: value, lower: value, maximumNorm: value)],
                    certified: [], attacked: [.init(epsilon: value, accuracy: value)], certificates: [],
                    attacks: [], margins: [Float(value), 1])
            ])
        let points: [(error: Double, cost: Double)] = [(0.1, value), (value, 0.5), (0.2, 0.3)]
        record.front = points.enumerated().map { place, point in
            RunRecord.FrontPoint(
                key: "\(place)", method: "budget", seed: 1, error: point.error, cost: point.cost,
                values: [:], accuracy: value)
        }
        let drawings = try drawings(record)
        #expect(!drawings.isEmpty)
        for place in drawings.flatMap({ $0.matches(of: #/ (x|y|x1|x2|y1|y2|cx|cy|points)="([^"]*)"/#) }) {
            #expect(!place.2.contains("nan") && !place.2.contains("inf"), "\(place.0)")
        }
    }

    /// What diverged for an epoch is left out, and not drawn as if it were the largest loss.
    @Test(arguments: [Double.nan, .infinity]) func linesBreak(value: Double) throws {
        var record = Self.record
        record.epochs = [1, 0.5, value, 0.25, 0.125].enumerated().map { place, loss in
            RunRecord.Epoch(epoch: place + 1, trainingLoss: loss, learningRate: 0.1, seconds: 1)
        }
        let chart = try #require(try drawings(record).first { $0.contains("aria-label=\"Loss\"") })
        let lines = chart.matches(of: /<polyline points="([^"]*)"/).map { $0.1.split(separator: " ").count }
        #expect(lines == [2, 2])
        #expect(chart.matches(of: /<circle cx/).count == 4)
    }

    /// No two lines of a picture look alike, however many layers there are.
    @Test(arguments: [24, 25, 54]) func manyLinesAreToldApart(count: Int) throws {
        var record = Self.record
        record.sensitivity = .init(
            granularity: "channel", criterion: "magnitude", split: "validation", isRecalibrated: false,
            layers: (0..<count).map { layer in
                RunRecord.SensitiveLayer(
                    name: "layer\(layer)", size: 8, members: [],
                    points: [0, 0.5].map {
                        RunRecord.SensitivityPoint(
                            sparsity: $0, removed: $0, accuracy: 1 - $0, loss: Double(layer), macsSaved: $0)
                    })
            }, evaluations: 3, seconds: 1)
        var names: Set<String> = []
        let drawings = try drawings(record)
        #expect(drawings.count == 2 * ((count + 23) / 24))
        for drawing in drawings {
            let styles = drawing.matches(of: /<polyline points="[^"]*" class="line ([^"]+)"/).map {
                String($0.1)
            }
            #expect(!styles.isEmpty && Set(styles).count == styles.count)
            names.formUnion(drawing.matches(of: #/>(layer\d+)</#).map { String($0.1) })
        }
        #expect(names.count == count)
        // Those that stand beside one another have the same scale.
        let scales = drawings.filter { $0.contains("Loss") }.map { drawing in
            drawing.matches(of: /text-anchor="end">([^<]*)</).map { String($0.1) }
        }
        #expect(Set(scales).count == 1)
        #expect(drawings.contains { $0.contains(", 2 of 2\"") } == (count == 25))
    }

    @Test func durationsOfAnyLengthAreWritten() {
        #expect(Format.duration(seconds: 185) == "3 min 05 s")
        #expect(Format.duration(seconds: .nan) == "–")
        #expect(Format.duration(seconds: 1e30).hasSuffix(" min"))
    }

    /// Also of older records, which have an interval without width there.
    @Test func equalPairsHaveNoInterval() throws {
        let differences: [RunRecord.Difference] = [
            .init(mean: 0.0028), .init(mean: 0.0028, low: 0.0028, high: 0.0028),
            .init(mean: 0.0028, low: -0.001, high: 0.0066),
        ]
        let points = zip([0.5, 0.8, 0.9], differences).map { sparsity, difference in
            RunRecord.CurvePoint(
                sparsity: sparsity, mean: 0.9, std: 0, runs: 2, validation: nil, effectiveMacs: 1,
                difference: difference)
        }
        let texts = ComparisonTexts([
            .init(criterion: "magnitude", points: []), .init(criterion: "lamp", points: points),
        ])
        #expect(
            texts.differences.first?.cells == [
                "+0.28 (all pairs equal)", "+0.28 (all pairs equal)", "+0.28 [−0.10, +0.66]",
            ])
    }
}
