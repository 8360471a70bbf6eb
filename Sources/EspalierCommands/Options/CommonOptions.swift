import ArgumentParser
import EspalierReports
import EspalierRuns

/// Options of every command whose result is a ``RunRecord``.
struct ResultOptions<Use: StoreUse>: ParsableArguments {
    @Option(help: ArgumentHelp("Seed of everything random.", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var compute: ThreadOptions

    @OptionGroup var output: ConsoleOptions

    @Option(
        help: ArgumentHelp("Also write a self-contained HTML report.", valueName: "file.html"),
        completion: .file(extensions: ["html"]))
    var report: String?

    @Option(help: ArgumentHelp(Use.help, valueName: "file"), completion: .file(extensions: ["sqlite"]))
    var store: String?

    var console: Console { output.console }
    var threads: Int { compute.threads }

    /// Prints the record with `--json`, keeps it with `--store` and writes the report with `--report`.
    ///
    /// - Parameter document: what to print, if the record has company.
    func deliver(_ record: RunRecord, as document: (any Encodable)? = nil) throws {
        if let document { try console.document(document) } else { try console.document(record) }
        if let store, Use.keepsRecord {
            let id = try RunStore(at: store).add(record)
            console.status("run \(id) in \(store)")
        }
        guard let report else { return }
        try OutputFile.write(try Report.html([record]), to: report)
        console.status("wrote \(report)")
    }
}

/// Of commands with one result.
typealias CommonOptions = ResultOptions<RecordStore>

/// Of commands that run many trials, which they sum up.
typealias TrialOptions = ResultOptions<TrialStore>

/// What a command has a run store for.
protocol StoreUse {
    /// Of `--store`.
    static var help: String { get }
    /// Whether the command's own record goes into it.
    static var keepsRecord: Bool { get }
}

enum RecordStore: StoreUse {
    static let help = "Also keep the result in this run store, which is made if need be."
    static let keepsRecord = true
}

enum TrialStore: StoreUse {
    static let help =
        "The run store that every run is kept in, and found in again, which is made if need be; without it "
        + "$XDG_DATA_HOME/espalier/runs.sqlite, or that in ~/.local/share."
    static let keepsRecord = false
}
