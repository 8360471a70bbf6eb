import ArgumentParser
import EspalierReports
import EspalierRuns

/// The store as JSON lines.
struct RunsExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes records and trials as JSON lines, one each.",
        discussion: """
            The same content gives the same bytes. Models and checkpoints stay; a trial's line has its model's hash.

            EXAMPLE
              espalier runs export -o runs.jsonl
              espalier runs export 3-7 > some.jsonl
            """)

    @Argument(help: ArgumentHelp("Runs or trials; everything if none are given.", valueName: "runs"))
    var runs: [String] = []

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The file to write instead of standard output.", valueName: "file.jsonl"),
        completion: .file(extensions: ["jsonl"]))
    var file: String?

    @OptionGroup var storeOptions: StoreOptions

    @Flag(name: [.short, .long], help: "Say nothing but errors.")
    var quiet = false

    func run() throws {
        let store = try storeOptions.open()
        try OutputFile.check([file], areNot: [store.path])
        let selections = try runs.map { try RunSelection($0, in: store) }
        // A number that is not there is a mistake to be told of.
        for case .records(let ids) in selections.map(\.part) { _ = try store.records(ids: ids) }
        var lines = ""
        let count = try store.export(selections.isEmpty ? nil : selections) { lines += $0 + "\n" }
        guard let file else { return Invocation.current.output(lines) }
        try OutputFile.write(lines, to: file)
        Console(json: false, quiet: quiet).status("wrote \(Format.count(count)) lines to \(file)")
    }
}
