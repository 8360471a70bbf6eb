import ArgumentParser
import Espalier
import EspalierReports
import EspalierRuns
import EspalierSearch

/// Groups of runs side by side.
struct RunsCompare: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Shows accuracy and cost of runs side by side, with differences from the first.",
        discussion: """
            Each argument is one run or a group of them: the seeds of one method. Where two groups have seeds in common \
            the differences are taken seed by seed, with a Student-t interval of their mean.

            EXAMPLE
              espalier runs compare 1 2
              espalier runs compare magnitude=1-5 taylor=6-10
              espalier runs compare dense=1a2b3c4d:dense/* pruned=1a2b3c4d:magnitude/0.9/*
            """)

    @Argument(
        help: ArgumentHelp(
            "Runs; several as 3-7,9, trials as HASH:KEY with * for anything, a name in front as NAME=RUNS.",
            valueName: "runs"))
    var groups: [String]

    @Option(help: ArgumentHelp("The share of intervals that cover the true difference.", valueName: "share"))
    var confidence: Double = 0.95

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var output: ConsoleOptions

    func validate() throws {
        guard confidence > 0, confidence < 1 else {
            throw ValidationError("--confidence must lie between 0 and 1")
        }
    }

    func run() throws {
        let store = try storeOptions.open()
        let selected = try groups.map { text in
            let selection = try RunSelection(text, in: store)
            return (name: selection.name, records: try store.records(selection))
        }
        let comparison = RunComparison(selected, confidence: confidence)
        let console = output.console
        try console.document(Document(comparison: comparison))
        console.result(Self.figures(comparison))
        if comparison.groups.count > 1 {
            console.result("\ndifferences from \(comparison.groups[0].name)\(Self.legend(comparison))\n")
            console.result(Self.differences(comparison))
        }
        try tellFronts(selected, on: console)
        for note in comparison.notes { console.result("note: \(note)") }
    }

    /// Where all are networks of trade-offs, their fronts.
    private func tellFronts(
        _ groups: [(name: String, records: [StoredRecord])], on console: Console
    ) throws {
        var volumes: TradeOff.Volumes = []
        for group in groups {
            let records = group.records.map(\.record)
            guard let trade = try TradeOff.stored(records) else { return }
            console.result("\nfront of \(group.name)\n")
            console.result(
                FrontTable.table(
                    trade.fronts.front, costs: trade.objectives.dropFirst().map { ($0.name, "share") },
                    knee: trade.knee?.key))
            volumes.append((group.name, try trade.testedVolumes(drops: TradeOff.testedDrops(records))))
        }
        FrontTable.tell(volumes, on: console)
    }

    private static func legend(_ comparison: RunComparison) -> String {
        let confidence = Format.fixed(100 * comparison.confidence, 0)
        return comparison.differences.contains { $0.pairs != nil }
            ? ", paired over seeds, with \(confidence) % Student-t intervals where pairs differ" : ""
    }

    private static func figures(_ comparison: RunComparison) -> Table {
        var table = Table([("", .left)] + comparison.groups.map { ($0.name, .right) })
        table.add(["runs"] + comparison.groups.map { Format.count($0.records.count) })
        for name in names(comparison.groups.flatMap { $0.figures.map(\.name) }) {
            table.add(
                [RunText.title(name)]
                    + comparison.groups.map { group in
                        guard let figure = group.figures.first(where: { $0.name == name }) else { return "" }
                        let mean = RunText.value(figure.mean, figure.kind)
                        guard let deviation = figure.standardDeviation, deviation > 0 else { return mean }
                        return "\(mean) ± \(RunText.value(deviation, figure.kind))"
                    })
        }
        return table
    }

    private static func differences(_ comparison: RunComparison) -> Table {
        let groups = comparison.groups.dropFirst().map(\.name)
        var table = Table([("", .left)] + groups.map { ($0, .right) })
        for name in names(comparison.differences.map(\.name)) {
            table.add(
                [RunText.title(name)]
                    + groups.map { group in
                        guard
                            let difference = comparison.differences.first(where: {
                                $0.name == name && $0.group == group
                            })
                        else { return "" }
                        return text(of: difference)
                    })
        }
        return table
    }

    private static func text(of difference: RunComparison.Difference) -> String {
        let kind = difference.kind
        let mean = RunText.difference(difference.mean, kind) + (kind == .fraction ? " points" : "")
        guard let low = difference.low, let high = difference.high else { return mean }
        return "\(mean) [\(RunText.difference(low, kind)), \(RunText.difference(high, kind))]"
    }

    private static func names(_ all: [String]) -> [String] {
        all.reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
    }

    private struct Document: Encodable {
        let comparison: RunComparison

        private enum CodingKeys: String, CodingKey { case schemaVersion }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(1, forKey: .schemaVersion)
            try comparison.encode(to: encoder)
        }
    }
}
