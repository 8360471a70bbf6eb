import ArgumentParser
import EspalierReports
import EspalierRuns

/// What the store keeps, a line each.
struct RunsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists experiments, and the records of commands and trials.",
        discussion: """
            EXAMPLE
              espalier runs list --store runs.sqlite
              espalier runs list --command prune --last 20
            """)

    @Option(help: ArgumentHelp("Only records of this command.", valueName: "name"))
    var command: String?

    @Option(help: ArgumentHelp("Only that many, the newest.", valueName: "n"))
    var last: Int?

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var output: ConsoleOptions

    func validate() throws {
        if let last, last < 1 { throw ValidationError("--last must be positive") }
    }

    func run() throws {
        let store = try storeOptions.open()
        let experiments = try store.experiments().filter {
            command == nil || $0.experiment.command == command
        }
        var records = try store.records().filter { command == nil || $0.record.command == command }
        if let last { records = records.suffix(last) }
        let console = output.console
        try console.document(
            Document(
                store: store.path, experiments: experiments.map(Entry.init), records: records.map(Line.init)))
        if !experiments.isEmpty {
            console.result(Self.table(experiments))
            console.result("")
        }
        console.result(
            records.isEmpty
                ? "no records" : Self.table(records).rendered(width: console.invocation.outputColumns))
    }

    private static func table(_ experiments: [StoredExperiment]) -> Table {
        var table = Table([
            ("experiment", .left), ("begun (UTC)", .left), ("command", .left), ("finished", .right),
            ("failed", .right),
            ("left", .right),
        ])
        for experiment in experiments {
            let counts = experiment.counts
            table.add(
                experiment.shortHash, RunText.date(experiment.created), experiment.experiment.command,
                Format.count(counts[.finished] ?? 0), Format.count(counts[.failed] ?? 0),
                Format.count((counts[.pending] ?? 0) + (counts[.running] ?? 0)))
        }
        return table
    }

    private static func table(_ records: [StoredRecord]) -> Table {
        let ofTrials = records.contains { $0.trial != nil }
        var columns: [(title: String, alignment: Table.Alignment)] = [
            ("run", .right), ("date (UTC)", .left), ("command", .left), ("model", .left), ("method", .left),
            ("data", .left), ("seed", .right), ("accuracy", .right), ("sparsity", .right),
            ("nonzero", .right),
            ("MACs", .right),
        ]
        if ofTrials { columns.insert(("trial", .left), at: 1) }
        var table = Table(columns)
        for entry in records {
            let (record, summary) = (entry.record, RunSummary(entry.record))
            var cells = ["\(entry.id)"]
            if ofTrials { cells.append(entry.trial.map { "\($0.experimentHash.prefix(8)):\($0.key)" } ?? "") }
            cells += [RunText.date(record.date), record.command, record.model?.name ?? "", method(record)]
            cells += [record.data?.name ?? "", record.seed.map(String.init) ?? ""]
            cells.append(summary.accuracy.map { Format.percent($0, digits: 2) } ?? "")
            cells.append(summary.sparsity.map { Format.percent($0) } ?? "")
            cells.append(summary.size.map { Format.short($0.nonzero) } ?? "")
            cells.append(summary.size.map { Format.short($0.effectiveMacs) } ?? "")
            table.add(cells)
        }
        return table
    }

    /// How it was pruned, in two words.
    private static func method(_ record: RunRecord) -> String {
        ["granularity", "criterion"].compactMap { name in record.request?.first { $0.name == name }?.value }
            .joined(separator: " ")
    }

    private struct Document: Encodable {
        let schemaVersion = 1
        let store: String
        let experiments: [Entry]
        let records: [Line]

        private enum CodingKeys: String, CodingKey { case schemaVersion, store, experiments, records }
    }

    /// An experiment in documents.
    struct Entry: Encodable {
        let hash: String
        let created: String
        let command: String
        let codeVersion: String
        let dataFingerprint: String
        let configuration: JSONValue
        let trials: [String: Int]

        init(_ stored: StoredExperiment) {
            hash = stored.hash
            created = stored.created
            command = stored.experiment.command
            codeVersion = stored.experiment.codeVersion
            dataFingerprint = stored.experiment.dataFingerprint
            configuration = stored.experiment.configuration
            trials = Dictionary(
                TrialState.allCases.map { ($0.rawValue, stored.counts[$0] ?? 0) }, uniquingKeysWith: +)
        }
    }

    private struct Line: Encodable {
        let id: Int64
        let experiment: String?
        let trial: String?
        let command: String
        let date: String
        let model: String?
        let data: String?
        let seed: UInt64?
        let accuracy: Double?
        let loss: Double?
        let sparsity: Double?
        let parameters: Int?
        let nonzero: Int?
        let macs: Int?
        let effectiveMacs: Int?

        init(_ entry: StoredRecord) {
            let (record, summary) = (entry.record, RunSummary(entry.record))
            id = entry.id
            experiment = entry.trial?.experimentHash
            trial = entry.trial?.key
            command = record.command
            date = record.date
            model = record.model?.name
            data = record.data?.name
            seed = record.seed
            accuracy = summary.accuracy
            loss = summary.loss
            sparsity = summary.sparsity
            parameters = summary.size?.parameters
            nonzero = summary.size?.nonzero
            macs = summary.size?.macs
            effectiveMacs = summary.size?.effectiveMacs
        }
    }
}
