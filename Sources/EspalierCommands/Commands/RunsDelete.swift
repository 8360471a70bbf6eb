import ArgumentParser
import EspalierRuns

/// Records, trials and experiments, with their files, out of the store.
struct RunsDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Deletes records, trials or experiments with their files, and names what went.",
        discussion: """
            It asks nothing. Models that train, finetune and prune wrote are yours and stay; models and checkpoints of trials \
            go with them.

            EXAMPLE
              espalier runs delete 3-7
              espalier runs delete 1a2b3c4d
              espalier runs delete 1a2b3c4d:magnitude/*
            """)

    @Argument(help: ArgumentHelp("Records, experiments or trials.", valueName: "runs"))
    var runs: [String]

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var output: ConsoleOptions

    func run() throws {
        let store = try storeOptions.open()
        let deletion = try store.delete(runs.map { try RunSelection($0, in: store) })
        let console = output.console
        try console.document(deletion)
        var lines: [String] = []
        lines += deletion.experiments.map { "deleted experiment \($0)" }
        lines += deletion.trials.map { "deleted trial \($0)" }
        lines += deletion.records.map { "deleted record \($0)" }
        lines += deletion.files.map { "deleted folder \($0)" }
        console.result(lines.isEmpty ? "nothing to delete" : lines.joined(separator: "\n"))
    }
}
