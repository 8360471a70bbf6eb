import ArgumentParser
import EspalierArchives
import EspalierReports
import EspalierRuns

/// Lines of an export, or saved documents, into the store.
struct RunsImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Takes in what export wrote, or what commands printed with --json.",
        discussion: """
            Documents that are there already are recognised by their content: importing twice changes nothing. A file is \
            taken in whole or, if anything in it cannot be read, not at all.

            EXAMPLE
              espalier runs import runs.jsonl --store other.sqlite
              espalier runs import dense.json sparse.json
            """)

    @Argument(help: "Files of JSON documents.", completion: .file(extensions: ["jsonl", "json"]))
    var files: [String]

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var output: ConsoleOptions

    func run() throws {
        let contents = try files.map { (name: $0, bytes: try FileBytes.read($0)) }
        let store = try storeOptions.make()
        var total = ImportSummary()
        for (name, bytes) in contents {
            let summary = try store.importDocuments(bytes, name: name)
            total.added += summary.added
            total.completed += summary.completed
            total.known += summary.known
            total.conflicts += summary.conflicts
        }
        try output.console.document(total)
        var sheet = FactSheet()
        sheet.add("new", Format.count(total.added))
        if total.completed > 0 { sheet.add("completed", Format.count(total.completed)) }
        sheet.add("known", Format.count(total.known))
        for conflict in total.conflicts { sheet.add("kept as it is here", conflict) }
        output.console.result(sheet.rendered())
    }
}
