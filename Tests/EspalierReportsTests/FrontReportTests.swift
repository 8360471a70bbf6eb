import EspalierReports
import EspalierRuns
import Foundation
import Testing

/// The report of a trade-off front, as text. What a browser makes of it is for `Tools/report_check.py`.
struct FrontReportTests {
    // MARK: Structure

    @Test func chartTableAndPanelHaveEveryNetwork() throws {
        let html = try Report.html([Trade.record()])
        let chart = try #require(Page.drawings(html).first)
        #expect(Page.drawings(html).count == 1)
        #expect(chart.contains("aria-label=\"Validation accuracy against MACs\""))
        #expect(Page.networks(chart).sorted() == Array(0..<5))
        #expect(chart.count(of: "class=\"mark faint\" data-point") == 2)
        #expect(html.count(of: "<tr data-point=") == 3)
        #expect(html.contains("<tr data-point=\"1\" class=\"chosen\">"))
        #expect(html.contains("espalier pareto &#39;a b.onnx&#39; --seed 2"))
        let document = try Page.document(html)
        #expect(document.initial == 1)
        #expect(document.groups == ["conv1", "conv2"])
        #expect(document.networks.map(\.title)[1] == "budget, at most 25 %, seed 2, chosen, knee")
        #expect(document.networks[1].widths == [[0, 3, 8], [1, 9, 16]])
        #expect(document.networks[1].command == "espalier pareto 'a b.onnx' --seed 2")
        for fact in [
            ["Method", "budget"], ["Budget", "25 %"], ["Seed", "2"], ["Validation accuracy", "95.00 %"],
            ["Test accuracy", "94.50 %"], ["Accuracy drop", "3.00 points"], ["MACs", "25.0 %"],
            ["File", "n.onnx"],
        ] {
            #expect(document.networks[1].facts.contains(fact), "\(fact)")
        }
        #expect(document.networks[0].facts.contains(["Price", "0.5"]))
    }

    /// Methods differ in colour and in shape; the dense network has a look of its own.
    @Test func methodsAreToldApart() throws {
        let chart = try #require(Page.drawings(try Report.html([Trade.record()])).first)
        let marks = chart.matches(of: /data-point="(\d+)".*?<path class="(\w+)" d="([^"]+)"/)
        let looks = Dictionary(
            marks.map { (Int($0.1) ?? -1, [String($0.2), String($0.3)]) }, uniquingKeysWith: { $1 })
        // 0: lagrangian, 1 and 3: budget, 2: dense, 4: one-shot.
        #expect(looks[1] == looks[3])
        for (one, other) in [(0, 1), (0, 2), (0, 4), (1, 2), (1, 4), (2, 4)] {
            #expect(looks[one]?[0] != looks[other]?[0] && looks[one]?[1] != looks[other]?[1])
        }
        for name in [
            "budget", "lagrangian", "one-shot", "dense network", "front", "dominated", "chosen", "knee",
        ] {
            #expect(chart.contains(">\(name)</text>"), "\(name)")
        }
    }

    /// Better networks are further up, smaller ones further left, and the staircase turns at each of the front.
    @Test func staircaseGoesThroughTheFront() throws {
        let chart = try #require(Page.drawings(try Report.html([Trade.record()])).first)
        let places = Page.places(chart)
        let front = try (0..<3).map { try #require(places[$0]) }
        #expect(front[0].x < front[1].x && front[1].x < front[2].x)
        #expect(front[0].y > front[1].y && front[1].y > front[2].y)
        let text = try #require(chart.firstMatch(of: /<polyline points="([^"]+)"/)).1
        let corners = text.split(separator: " ").map { $0.split(separator: ",").compactMap { Double($0) } }
        for (start, end) in zip(corners, corners.dropFirst()) {
            #expect(start[0] == end[0] || start[1] == end[1])
            #expect(start[0] <= end[0] && start[1] >= end[1])
        }
        for point in front { #expect(corners.contains([point.x, point.y])) }
    }

    @Test func scalesAreLogarithmicWhereValuesLieFarApart() throws {
        #expect(try Report.html([Trade.record(costs: [0.05, 0.25, 1])]).contains("network (logarithmic)"))
        #expect(try !Report.html([Trade.record(costs: [0.3, 0.5, 1])]).contains("network (logarithmic)"))
        #expect(
            try Report.html([Trade.record(errors: [0.2, 0.1, 0.02])]).contains("logarithmic in the error"))
        #expect(
            try !Report.html([Trade.record(errors: [0.08, 0.05, 0.03])]).contains("logarithmic in the error"))
        // No error at all has a place on a logarithmic scale too.
        let perfect = try Report.html([
            Trade.record(costs: [0.1, 0.25, 0.5], errors: [0.3, 0.02, 0])
        ])
        #expect(perfect.contains(">100 %</text>"))
        #expect(Page.isFinite(perfect))
    }

    @Test func widthsAlongTheFrontAreShaded() throws {
        let html = try Report.html([Trade.record()])
        #expect(html.count(of: "--kept: ") == 2 * 3)
        #expect(
            html.contains("class=\"chosen\" style=\"--kept: 0.375\" title=\"3 of 8 kept, 37.5 %\">3</td>"))
        var record = Trade.record()
        for place in 0..<3 { record.front?[place].widths = nil }
        #expect(try !Report.html([record]).contains("Widths along the front"))
    }

    /// Networks of another model, or edited records: groups by name and size, shares within 0 and 1.
    @Test func widthsThatDoNotMatchAreKept() throws {
        var record = Trade.record()
        record.front?[0].widths = [
            .init(group: "conv1", kept: 9, size: 6), .init(group: "conv2", kept: 1, size: 0),
            .init(group: "conv2", kept: 2, size: 0),
        ]
        let html = try Report.html([record])
        #expect(html.count(of: "<tr><th>conv1 <span>") == 2)
        #expect(html.contains("--kept: 1.000"))
        #expect(Page.isFinite(html))
    }

    @Test func severalReportsShareOneScript() throws {
        let html = try Report.html([Trade.record(), Trade.record()])
        #expect(html.count(of: "<script>") == 1)
        #expect(html.count(of: "<script type=\"application/json\">") == 2)
        for forbidden in ["src=", "@import", "href=\"http", "{{", "}}}"] {
            #expect(!html.contains(forbidden), "\(forbidden)")
        }
    }

    // MARK: Objectives

    @Test func threeObjectivesAreShownInPairs() throws {
        let html = try Report.html([Trade.record(hasLatency: true)])
        let drawings = Page.drawings(html)
        let titles = drawings.compactMap { $0.firstMatch(of: /aria-label="([^"]+)"/).map { String($0.1) } }
        #expect(
            titles == [
                "Validation accuracy against MACs", "Validation accuracy against latency",
                "Latency, ms against MACs",
            ])
        for drawing in drawings { #expect(Page.networks(drawing).sorted() == Array(0..<5)) }
        // Of costs alone there is no front.
        #expect(drawings.map { $0.count(of: "<polyline") } == [1, 1, 0])
        #expect(try Page.document(html).networks[1].facts.contains(["Latency", "1.25 ms"]))
    }

    /// What was not measured is left out of its charts and told as unknown.
    @Test func missingLatencyIsLeftOut() throws {
        var record = Trade.record(hasLatency: true)
        record.front?[0].values["latency"] = nil
        record.dominated?[0].values["latency"] = .nan
        let html = try Report.html([record])
        #expect(Page.drawings(html).map { Page.networks($0).count } == [5, 3, 3])
        #expect(try Page.document(html).networks[3].facts.contains(["Latency", "–"]))
        #expect(Page.isFinite(html))
    }

    @Test func aRecordWithoutObjectivesHasItsCost() throws {
        var record = Trade.record()
        record.trade = nil
        let html = try Report.html([record])
        #expect(html.contains("Validation accuracy against cost"))
        #expect(try Page.document(html).networks[1].facts.contains(["Cost", "0.25"]))
    }

    // MARK: Fronts with little on them

    @Test func emptyFrontIsSaid() throws {
        var record = Trade.record()
        record.chosen = nil
        record.front = []
        var html = try Report.html([record])
        #expect(html.contains("The front is empty."))
        #expect(Page.drawings(html).map { Page.networks($0).count } == [2])
        #expect(!html.contains("<polyline") && !html.contains("Networks of the front"))
        record.dominated = nil
        html = try Report.html([record])
        #expect(html.contains("The front is empty."))
        #expect(Page.drawings(html).isEmpty && !html.contains("<aside"))
        #expect(Page.isFinite(html))
    }

    @Test(arguments: [0.02, 0, 1]) func singlePointIsDrawn(error: Double) throws {
        var record = Trade.record()
        record.front = [Trade.point("a", "budget", error: error, cost: 0.25)]
        record.dominated = nil
        let html = try Report.html([record])
        let chart = try #require(Page.drawings(html).first)
        #expect(Page.networks(chart) == [0])
        #expect(chart.contains("<polyline"))
        #expect(Page.isFinite(html))
    }

    @Test func withoutKneeAndChoiceNothingIsRinged() throws {
        var record = Trade.record()
        record.trade?.knee = nil
        record.chosen = nil
        let html = try Report.html([record])
        #expect(!html.contains("class=\"ring"))
        #expect(!html.contains("class=\"chosen\"") && !html.contains("the chosen network"))
        #expect(try Page.document(html).initial == 0)
    }

    @Test(arguments: [nil, Double.nan, .infinity]) func unknownTestAccuracyIsADash(_ value: Double?) throws {
        var record = Trade.record()
        for place in 0..<3 { record.front?[place].accuracy = value }
        record.chosen?.accuracy = value
        let html = try Report.html([record])
        #expect(try Page.document(html).networks[0].facts.contains(["Test accuracy", "–"]))
        #expect(Page.isFinite(html))
    }

    @Test func networksWithoutPlaceAreNotDrawn() throws {
        var record = Trade.record()
        record.front?[0].cost = .nan
        record.front?[1].error = .infinity
        record.dominated?[0].cost = -1
        let html = try Report.html([record])
        #expect(Page.drawings(html).map { Page.networks($0).sorted() } == [[2, 4]])
        #expect(html.count(of: "<tr data-point=") == 3)
        #expect(Page.isFinite(html))
    }

    // MARK: Hostile names

    /// A quote with an accent is one character to Swift and two to a browser.
    @Test(arguments: [
        "</script><script>alert(1)</script>", "<!--<script>", "a\"b'c&d", "\"\u{301} onload=\"alert(1)",
        "&lt;&quot;", "\u{2028}\\u003c\n", "{{name}}",
    ])
    func hostileNamesStayText(name: String) throws {
        var record = Trade.record(hasLatency: true)
        record.front?[0].method = name
        record.front?[0].arguments = ["pareto", name]
        record.front?[0].path = name
        record.front?[0].widths = [.init(group: name, kept: 1, size: 2)]
        record.front?[0].values[name] = 1
        record.trade?.objectives[2].name = name
        record.trade?.conditions = name
        let html = try Report.html([record])
        let json = try #require(Page.json(html))
        #expect(!json.contains("<"))
        let network = try #require(try Page.document(html).networks.first)
        #expect(try Page.document(html).groups.contains(name))
        #expect(network.facts.contains(["Method", name]) && network.facts.contains(["File", name]))
        #expect(network.title == "\(name), price 0.5, seed 1")

        // Outside the data and the page's own script.
        let script = try #require(html.range(of: "<script>\n"))
        let markup = html[..<script.lowerBound].replacing(json, with: "")
        #expect(!markup.contains("alert(1)</script>") && !markup.contains("<!--"))
        // Every attribute ends where it should: its quotes are not those of a name.
        let accentedQuote: [UInt8] = [0x22, 0xCC, 0x81]
        for tag in markup.matches(of: /<[a-z][^>]*>/) {
            #expect(!Array(tag.output.utf8).contains(accentedQuote), "\(tag.output)")
            #expect(!tag.output.contains("onload=\"alert"), "\(tag.output)")
        }
    }

    /// A shell reads the words of a command as they were. A quote with an accent is one character to Swift, and ends a word
    /// all the same.
    @Test(arguments: [
        "a b", "it's", "'\u{301};echo broken;'\u{301}", "e\u{301}", "$HOME `id` \"x\" \\", "", "a\nb", "~",
        "x=1,2",
    ])
    func commandsKeepTheirWords(word: String) throws {
        var record = Trade.record()
        record.front?[1].arguments = ["pareto", word]
        let command = try #require(try Page.document(Report.html([record])).networks[1].command)
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-c", #"espalier() { printf '%s\0' "$@"; }; "# + command]
        let pipe = Pipe()
        shell.standardOutput = pipe
        try shell.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        shell.waitUntilExit()
        let words = output.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(words.dropLast() == ["pareto", word])
    }
}

/// A trade-off that has some of everything: numbers 0 to 2 on the front, 3 and 4 dominated.
private enum Trade {
    static func point(
        _ key: String, _ method: String, seed: UInt64 = 1, error: Double, cost: Double
    ) -> RunRecord.FrontPoint {
        .init(
            key: key, method: method, seed: seed, error: error, cost: cost,
            values: ["accuracy-drop": error - 0.02, "macs": cost, "latency": 5 * cost],
            accuracy: 0.995 - error,
            widths: [
                .init(group: "conv1", kept: min(8, Int(1 + 8 * cost)), size: 8),
                .init(group: "conv2", kept: min(16, Int(5 + 16 * cost)), size: 16),
            ])
    }

    static func record(
        costs: [Double] = [0.1, 0.25, 1], errors: [Double] = [0.2, 0.05, 0.02], hasLatency: Bool = false
    ) -> RunRecord {
        var small = point("a", "lagrangian", error: errors[0], cost: costs[0])
        small.lambda = 0.5
        var middle = point("b", "budget", seed: 2, error: errors[1], cost: costs[1])
        middle.budget = 0.25
        middle.path = "n.onnx"
        middle.arguments = ["pareto", "a b.onnx", "--seed", "2"]
        var record = RunRecord(
            command: "pareto", arguments: ["pareto"], espalierVersion: "0.1.0", date: "2026-01-01T00:00:00Z")
        record.front = [small, middle, point("c", "dense", error: errors[2], cost: costs[2])]
        record.dominated = [
            point("d", "budget", error: errors[0], cost: costs[1]),
            point("e", "one-shot", error: errors[1], cost: costs[2]),
        ]
        record.chosen = middle
        record.hypervolume = 0.8
        var objectives: [RunRecord.Front.Objective] = [
            .init(name: "accuracy-drop", unit: "share", dense: 0),
            .init(name: "macs", unit: "share", dense: 1),
        ]
        if hasLatency { objectives.append(.init(name: "latency", unit: "ms", dense: 5)) }
        record.trade = .init(objectives: objectives, reference: objectives.map { _ in 1 }, knee: "b")
        return record
    }
}

/// Parts of a page.
private enum Page {
    struct Document: Decodable {
        struct Network: Decodable {
            var title: String
            var facts: [[String]]
            var widths: [[Int]]
            var command: String?
        }

        var initial: Int
        var groups: [String]
        var networks: [Network]
    }

    static func drawings(_ html: String) -> [String] {
        html.matches(of: /<svg .*?<\/svg>/.dotMatchesNewlines()).map { String($0.output) }
    }

    static func networks(_ drawing: String) -> [Int] {
        drawing.matches(of: /data-point="(\d+)"/).compactMap { Int($0.1) }
    }

    static func places(_ drawing: String) -> [Int: (x: Double, y: Double)] {
        let marks = drawing.matches(of: /data-point="(\d+)" transform="translate\(([\d.]+),([\d.]+)\)"/)
        return Dictionary(
            marks.map { (Int($0.1) ?? -1, (x: Double($0.2) ?? .nan, y: Double($0.3) ?? .nan)) },
            uniquingKeysWith: { $1 })
    }

    static func json(_ html: String) -> String? {
        html.firstMatch(of: /<script type="application\/json">(.*?)<\/script>/.dotMatchesNewlines())
            .map { String($0.1) }
    }

    static func document(_ html: String) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(try #require(json(html)).utf8))
    }

    /// Whether no number went wrong; the page's script is not looked at.
    static func isFinite(_ html: String) -> Bool {
        let own = html.prefix(upTo: html.range(of: "<script>\n")?.lowerBound ?? html.endIndex)
        return !own.contains(/\b(nan|NaN|inf|infinity)\b/)
    }
}

extension String {
    fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
