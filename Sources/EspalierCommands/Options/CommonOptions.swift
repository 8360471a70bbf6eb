import ArgumentParser
import EspalierReports
import EspalierRuns

/// Options of every command whose result is a ``RunRecord``.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Seed of everything random.", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var compute: ThreadOptions

    @OptionGroup var output: ConsoleOptions

    @Option(
        help: ArgumentHelp("Also write a self-contained HTML report.", valueName: "file.html"),
        completion: .file(extensions: ["html"]))
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Also keep the result in this run store, which is made if need be.", valueName: "file"),
        completion: .file(extensions: ["sqlite"]))
    var store: String?

    var console: Console { output.console }
    var threads: Int { compute.threads }

    /// Prints the record with `--json`, keeps it with `--store` and writes the report with `--report`.
    ///
    /// - Parameters:
    ///   - document: what to print, if the record has company.
    ///   - storing: whether the record goes into the store; not where the runs that it sums up are there.
    func deliver(_ record: RunRecord, as document: (any Encodable)? = nil, storing: Bool = true) throws {
        if let document { try console.document(document) } else { try console.document(record) }
        if let store, storing {
            let id = try RunStore(at: store).add(record)
            console.status("run \(id) in \(store)")
        }
        guard let report else { return }
        try OutputFile.write(try Report.html([record]), to: report)
        console.status("wrote \(report)")
    }
}
