import ArgumentParser
import EspalierReports
import EspalierRuns

/// One record, or one experiment with its trials.
struct RunsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows a record, or an experiment with its trials.",
        discussion: """
            With --json a record is printed as the command itself printed it, so that report reads it.

            EXAMPLE
              espalier runs show 3
              espalier runs show 3 --json > run.json
              espalier runs show 1a2b3c4d
            """)

    @Argument(
        help: ArgumentHelp(
            "A record's number; or an experiment, perhaps with :KEY of its trials.", valueName: "run"))
    var selected: String

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var output: ConsoleOptions

    func run() throws {
        let store = try storeOptions.open()
        let selection = try RunSelection(selected, in: store)
        switch selection.part {
        case .records(let ids):
            guard ids.count == 1 else {
                throw CommandFailure(
                    "'\(selected)' names \(ids.count) records: show takes one; 'runs compare' takes several")
            }
            for record in try store.records(ids: ids) { try show(record) }
        case .trials(let hash, _):
            let trials = try store.trials(of: hash).filter { selection.contains($0, record: nil) }
            guard !trials.isEmpty else { throw CommandFailure("there is no trial '\(selected)'") }
            try show(try store.experiment(hashPrefix: hash), trials, in: store)
        }
    }

    // MARK: A record

    private func show(_ entry: StoredRecord) throws {
        let record = entry.record
        try output.console.document(entry.document)
        var sheet = FactSheet()
        sheet.add("run", "\(entry.id)")
        if let trial = entry.trial { sheet.add("trial", "\(trial.experimentHash.prefix(8)):\(trial.key)") }
        sheet.add("command", "espalier " + record.arguments.joined(separator: " "))
        sheet.add("date", record.date)
        sheet.add("version", record.espalierVersion)
        if let model = record.model { sheet.add("model", model.path ?? model.name) }
        if let data = record.data { sheet.add("data", "\(data.name) (\(data.fingerprint))") }
        if let seed = record.seed { sheet.add("seed", "\(seed)") }
        if let machine = record.machine {
            sheet.add("machine", "\(machine.processor), \(machine.cores) cores")
        }
        for setting in record.request ?? [] { sheet.add(setting.name, setting.value) }
        if let before = record.before?.accuracy {
            sheet.add("accuracy before", Format.percent(before, digits: 2))
        }
        // What was asked for and reached is said among the settings.
        let said = Set((record.request ?? []).map(\.name))
        for figure in RunSummary(record).all where !said.contains(figure.name) {
            sheet.add(RunText.title(figure.name), RunText.value(figure.value, figure.kind))
        }
        if let outputs = record.outputs { sheet.add("wrote", outputs.joined(separator: ", ")) }
        for note in record.notes ?? [] { sheet.add("note", note) }
        output.console.result(sheet.rendered())
        if let epochs = record.epochs, !epochs.isEmpty {
            output.console.result("\n" + Self.table(epochs).rendered())
        }
    }

    private static func table(_ epochs: [RunRecord.Epoch]) -> Table {
        var table = Table([
            ("epoch", .right), ("loss", .right), ("validation loss", .right), ("validation accuracy", .right),
            ("rate", .right), ("time", .right),
        ])
        for epoch in epochs {
            table.add(
                "\(epoch.epoch)", Format.fixed(epoch.trainingLoss, 4),
                epoch.validationLoss.map { Format.fixed($0, 4) } ?? "",
                epoch.validationAccuracy.map { Format.percent($0, digits: 2) } ?? "",
                Format.scientific(epoch.learningRate), Format.duration(seconds: epoch.seconds))
        }
        return table
    }

    // MARK: An experiment

    private func show(_ stored: StoredExperiment, _ trials: [StoredTrial], in store: RunStore) throws {
        let records = Dictionary(
            try store.records(of: stored.hash).compactMap { record in record.trial.map { ($0.key, record) } },
            uniquingKeysWith: { $1 })
        try output.console.document(
            Document(
                experiment: RunsList.Entry(stored),
                trials: try trials.map { trial in
                    TrialEntry(
                        trial, record: records[trial.key]?.id, epochs: try store.epochs(ofTrial: trial.id))
                }))
        var sheet = FactSheet()
        sheet.add("experiment", stored.hash)
        sheet.add("command", stored.experiment.command)
        sheet.add("begun", stored.created)
        sheet.add("version", stored.experiment.codeVersion)
        sheet.add("data", stored.experiment.dataFingerprint)
        sheet.add("configuration", stored.experiment.configuration.canonicalText)
        output.console.result(sheet.rendered() + "\n")
        var table = Table([
            ("trial", .left), ("seed", .right), ("state", .left), ("attempts", .right), ("run", .right),
            ("accuracy", .right), ("why", .left),
        ])
        for trial in trials {
            let record = records[trial.key]
            table.add(
                trial.key, "\(trial.seed)", Self.text(of: trial), "\(trial.attempts)",
                record.map { "\($0.id)" } ?? "",
                record.flatMap { RunSummary($0.record).accuracy }.map { Format.percent($0, digits: 2) } ?? "",
                trial.error ?? "")
        }
        output.console.result(table)
    }

    /// The state as it is seen from outside: what is called running may be left over by a process that was killed.
    private static func text(of trial: StoredTrial) -> String {
        switch trial.state {
        case .running where !trial.isBeingRun: "interrupted"
        case .pending where trial.attempts > 0: "interrupted"
        default: trial.state.rawValue
        }
    }

    private struct Document: Encodable {
        let schemaVersion = 1
        let experiment: RunsList.Entry
        let trials: [TrialEntry]

        private enum CodingKeys: String, CodingKey { case schemaVersion, experiment, trials }
    }

    private struct TrialEntry: Encodable {
        let key: String
        let seed: UInt64
        let configuration: JSONValue
        let requirements: [String]
        let state: String
        let attempts: Int
        let started: String?
        let finished: String?
        let error: String?
        let modelPath: String?
        let modelSHA256: String?
        let checkpointPath: String?
        /// The number of the record that is its result.
        let record: Int64?
        let epochs: [RunRecord.Epoch]

        init(_ trial: StoredTrial, record: Int64?, epochs: [RunRecord.Epoch]) {
            key = trial.key
            seed = trial.seed
            configuration = trial.configuration
            requirements = trial.requirements
            state = RunsShow.text(of: trial)
            attempts = trial.attempts
            started = trial.started
            finished = trial.finished
            error = trial.error
            modelPath = trial.modelPath
            modelSHA256 = trial.modelSHA256
            checkpointPath = trial.checkpointPath
            self.record = record
            self.epochs = epochs
        }
    }
}
