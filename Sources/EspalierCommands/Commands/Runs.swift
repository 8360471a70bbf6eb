import ArgumentParser
import EspalierReports
import EspalierRuns

/// The store of runs.
struct Runs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists, compares, moves and deletes what the run store keeps.",
        discussion: """
            Commands with one result keep it there if --store is given: train, finetune, prune, eval, score, sensitivity, \
            redundancy and bench. Those that make many runs keep each of them, in the usual store if none is given: compare, \
            pareto, lottery, robustness and theory ticket-frequency.

            A RUN is a record's number (3), several (3-7,9), an experiment by the first digits of its hash (1a2b3c4d), or \
            trials of it by their key (1a2b3c4d:dense/*).

            EXAMPLE
              espalier train --arch lenet-5 --data digits --seed 1 -o dense.onnx --store runs.sqlite
              espalier runs list --store runs.sqlite
              espalier runs compare magnitude=1-5 taylor=6-10 --store runs.sqlite
            """,
        subcommands: [
            RunsList.self, RunsShow.self, RunsCompare.self, RunsExport.self, RunsImport.self, RunsDelete.self,
        ])
}

/// Which store.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The run store; by default $XDG_DATA_HOME/espalier/runs.sqlite, or that in ~/.local/share.",
            valueName: "file"),
        completion: .file(extensions: ["sqlite"]))
    var store: String?

    private var path: String { store ?? RunStore.defaultPath() }

    /// The store, which must be there.
    func open() throws -> RunStore {
        var options = RunStore.Options()
        options.createsIfMissing = false
        return try RunStore(at: path, options: options)
    }

    /// The store, made if need be.
    func make() throws -> RunStore { try RunStore(at: path) }
}

/// How figures of runs are written.
enum RunText {
    static func value(_ value: Double, _ kind: RunSummary.Kind) -> String {
        switch kind {
        case .fraction: Format.percent(value, digits: 2)
        case .count: integer(value).map(Format.short) ?? Format.fixed(value, 1)
        case .bytes: integer(value).map(Format.bytes) ?? Format.fixed(value, 0)
        case .seconds: Format.duration(seconds: value)
        case .plain: plain(value)
        }
    }

    /// A difference, with its sign; shares in percentage points.
    static func difference(_ value: Double, _ kind: RunSummary.Kind) -> String {
        let sign = value > 0 ? "+" : value < 0 ? "−" : ""
        let text =
            switch kind {
            case .fraction: Format.fixed(100 * abs(value), 2)
            default: Self.value(abs(value), kind)
            }
        return sign + text
    }

    /// The day and minute of a time in ISO 8601.
    static func date(_ text: String) -> String {
        String(text.prefix(16)).replacing("T", with: " ")
    }

    /// What a figure is called in tables.
    static func title(_ name: String) -> String {
        switch name {
        case "macs": "MACs"
        case "effectiveMacs": "effective MACs"
        case "fileBytes": "file"
        case "elapsedSeconds": "time"
        default: name
        }
    }

    private static func integer(_ value: Double) -> Int? { Int(exactly: value.rounded()) }

    private static func plain(_ value: Double) -> String {
        value != 0 && !(1e-3..<1e6).contains(abs(value)) ? Format.scientific(value) : Format.fixed(value, 4)
    }
}
