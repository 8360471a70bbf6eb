import EspalierReports
import EspalierRuns
import Testing

struct ReportTests {
    private static var record: RunRecord {
        var record = RunRecord(
            command: "prune", arguments: ["prune", "a b.onnx", "--sparsity", "0.9"], espalierVersion: "0.1.0",
            date: "2026-01-01T00:00:00Z")
        record.model = .init(name: "<net> & co")
        record.before = .init(
            parameters: 1000, nonzero: 1000, macs: 5000, effectiveMacs: 5000, accuracy: 0.98, loss: 0.1)
        record.after = .init(
            parameters: 1000, nonzero: 100, macs: 5000, effectiveMacs: 700, accuracy: 0.975, loss: 0.12)
        record.requestedSparsity = 0.9
        record.achievedSparsity = 0.9
        record.layers = [
            .init(
                name: "conv1", op: "Conv", requested: 0.9, achieved: 0.5, refused: "at least 8 kept",
                parametersBefore: 200, parametersAfter: 100, macsBefore: 4000, macsAfter: 600)
        ]
        record.epochs = (1...3).map {
            .init(
                epoch: $0, trainingLoss: 1 / Double($0), trainingAccuracy: 0.9,
                validationLoss: 1.1 / Double($0),
                validationAccuracy: 0.89, learningRate: 0.1, seconds: 1, sparsity: 0.3 * Double($0))
        }
        record.outputs = ["small.onnx"]
        return record
    }

    @Test func pageTellsWhatWasAskedAndDone() throws {
        let html = try Report.html([Self.record])
        #expect(html.contains("at least 8 kept"))
        #expect(html.contains("97.50 %"))
        #expect(html.contains("-0.50 points"))
        #expect(html.contains("200 → 100"))
        #expect(html.contains("espalier prune &#39;a b.onnx&#39; --sparsity 0.9"))
    }

    @Test func latencyIsTold() throws {
        var record = Self.record
        record.latency = .init(
            targetMs: 2.5, modelMs: 2.2, predictedMs: 2.4567, beforeMs: 10, achievedMs: 2.6)
        #expect(
            try Report.html([record]).contains(
                "a sample, measured; 2.5 ms asked, 2.46 ms predicted, 10 ms before"))
        record.latency?.achievedMs = nil
        #expect(try Report.html([record]).contains("a sample, predicted; 2.5 ms asked, 10 ms before"))
    }

    @Test func textFromFilesIsEscapedAndNothingIsLoaded() throws {
        let html = try Report.html([Self.record])
        #expect(!html.contains("<net>"))
        #expect(html.contains("&lt;net&gt; &amp; co"))
        for forbidden in ["<script", "src=", "@import", "href=\"http"] { #expect(!html.contains(forbidden)) }
    }

    /// The library that renders pages is no part of what users see.
    @Test func damagedTemplatesAreReportErrors() throws {
        #expect(try Report.render(["name": "<x>"], with: "{{name}}") == "&lt;x&gt;")
        let error = try #require(throws: ReportError.self) {
            try Report.render([:], with: "{{#open}}{{/other}}")
        }
        #expect("\(error)".contains("sectionCloseNameIncorrect") && "\(error)".contains("install"))
    }

    @Test func severalRunsAreCompared() throws {
        let html = try Report.html([Self.record, Self.record])
        #expect(html.contains("2 runs compared"))
        #expect(html.components(separatedByMarker: "<section>") == 3)
    }

    /// A unit that never fires is marked and has no place on a logarithmic scale but the lowest; constants have no
    /// correlation to tell.
    @Test func firingIsDrawn() throws {
        var record = Self.record
        record.layers = nil
        record.scores = [
            .init(
                criterion: "firing", name: "Firing probability", unit: "share of samples",
                granularity: "channel",
                layers: [
                    .init(name: "fc1", count: 4, mean: 0.45, max: 1, min: 0, nearZero: 0.25, gini: 0.4)
                ], refusals: [], seconds: 0.0001, evidenceSeconds: 2, evidenceBytes: 64)
        ]
        let samples = [0, 0.005, 0.8, 1]
        record.firing = [
            .init(
                name: "fc1", dead: 1, nearlyDead: 1, samples: samples, shares: samples,
                saliency: [0, 1e-9, 3, 20], pearson: 0.7, spearman: 1),
            .init(
                name: "conv1", dead: 0, nearlyDead: 0, samples: [1, 1], shares: [0.5, 0.25],
                saliency: [0, 0], pearson: nil, spearman: nil),
        ]
        let html = try Report.html([record])
        #expect(html.contains("4 units, 1 dead, 1 nearly dead; saliency against firing: Pearson 0.70"))
        #expect(html.components(separatedByMarker: "class=\"point dead\"") == 2)
        #expect(html.components(separatedByMarker: "class=\"point\"") == 3 + 2 + 1)
        #expect(html.contains("1 units at exactly 0"))
        // Only maps have a share of positions of their own.
        #expect(html.components(separatedByMarker: ">Share of positions<") == 2)
        #expect(html.contains("its evidence 2.0 s and 64 B") && html.contains("took &lt; 1 ms"))
        #expect(!html.contains("NaN") && !html.contains("nan"))
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"),
    ])
    func countsAreGrouped(value: Int, text: String) {
        #expect(Format.count(value) == text)
    }
}

extension String {
    fileprivate func components(separatedByMarker marker: String) -> Int {
        var count = 1
        var rest = self[...]
        while let range = rest.firstRange(of: marker) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
