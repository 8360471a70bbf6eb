import Foundation
import GRDB

extension RunStore {
    /// All experiments, oldest first.
    package func experiments() throws(StoreError) -> [StoredExperiment] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM experiment ORDER BY id").map { row in
                let hash: String = row["hash"]
                let counts = try Row.fetchAll(
                    database,
                    sql: "SELECT state, count(*) AS number FROM trial WHERE experimentID = ? GROUP BY state",
                    arguments: [row["id"] as Int64])
                return StoredExperiment(
                    experiment: Experiment(
                        command: row["command"],
                        configuration: try json(row["configuration"], "experiment \(hash)"),
                        codeVersion: row["codeVersion"], dataFingerprint: row["dataFingerprint"]),
                    hash: hash, created: row["created"],
                    counts: Dictionary(
                        counts.compactMap { count in
                            TrialState(rawValue: count["state"]).map { ($0, count["number"]) }
                        }, uniquingKeysWith: +))
            }
        }
    }

    /// The experiment whose hash begins with `prefix`.
    ///
    /// - Throws: ``StoreError`` `missing` if there is none, `conflict` if there are several.
    package func experiment(hashPrefix prefix: String) throws(StoreError) -> StoredExperiment {
        let matches = try experiments().filter { $0.hash.hasPrefix(prefix.lowercased()) }
        guard let first = matches.first else {
            throw StoreError(
                .missing, path, "there is no experiment '\(prefix)'; 'espalier runs list' shows which are")
        }
        guard matches.count == 1 else {
            throw StoreError(
                .conflict, path,
                "'\(prefix)' begins the names of \(matches.count) experiments; give more digits")
        }
        return first
    }

    /// An experiment's trials in the order in which they were enrolled.
    package func trials(of experimentHash: String) throws(StoreError) -> [StoredTrial] {
        try read { try trials($0, experimentHash: experimentHash) }
    }

    /// The results of an experiment's trials that are finished, by key.
    package func records(of experimentHash: String) throws(StoreError) -> [StoredRecord] {
        try read { try records($0, where: "experiment.hash = ?", [experimentHash]) }
    }

    /// The results of an experiment's finished trials, by key.
    ///
    /// - Throws: ``StoreError``.
    package func finishedTrials(of experimentHash: String) throws -> [String: FinishedTrial] {
        let entries = Dictionary(
            try trials(of: experimentHash).map { ($0.key, $0) }, uniquingKeysWith: { $1 })
        var finished: [String: FinishedTrial] = [:]
        for record in try records(of: experimentHash) {
            guard let key = record.trial?.key, let entry = entries[key] else { continue }
            finished[key] = result(entry, record)
        }
        return finished
    }

    /// Those of `keys` alone: to read all of them for every trial that needs a few would take the square of their number.
    func finishedTrials(
        _ keys: [String], of experimentHash: String
    ) throws(StoreError) -> [String: FinishedTrial] {
        try read { database in
            var finished: [String: FinishedTrial] = [:]
            for key in keys {
                guard let entry = try trials(database, experimentHash: experimentHash, key: key).first,
                    let record = try records(database, where: "record.trialID = ?", [entry.id]).first
                else { continue }
                finished[key] = result(entry, record)
            }
            return finished
        }
    }

    private func result(_ entry: StoredTrial, _ record: StoredRecord) -> FinishedTrial {
        FinishedTrial(
            key: entry.key, record: record.record,
            modelFile: entry.modelPath.map { "\(filesFolder)/\($0)" }, modelSHA256: entry.modelSHA256)
    }

    /// The epochs that a trial has reported, in order.
    package func epochs(ofTrial id: Int64) throws(StoreError) -> [RunRecord.Epoch] {
        try read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM epoch WHERE trialID = ? ORDER BY epoch", arguments: [id]
            ).map { row in
                RunRecord.Epoch(
                    // SQLite keeps no NaN: a missing loss was one.
                    epoch: row["epoch"], trainingLoss: row["trainingLoss"] ?? .nan,
                    trainingAccuracy: row["trainingAccuracy"], validationLoss: row["validationLoss"],
                    validationAccuracy: row["validationAccuracy"], learningRate: row["learningRate"] ?? .nan,
                    seconds: row["seconds"] ?? .nan, sparsity: row["sparsity"])
            }
        }
    }

    /// An experiment's trials, or the one of a key.
    func trials(
        _ database: Database, experimentHash: String, key: String? = nil
    ) throws -> [StoredTrial] {
        var condition = "experiment.hash = ?"
        var arguments: StatementArguments = [experimentHash]
        if let key {
            condition += " AND trial.key = ?"
            arguments += [key]
        }
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT trial.* FROM trial JOIN experiment ON experiment.id = trial.experimentID
                WHERE \(condition) ORDER BY trial.id
                """, arguments: arguments)
        return try rows.map { row in
            let id: Int64 = row["id"]
            let key: String = row["key"]
            let seed: String = row["seed"]
            guard let state = TrialState(rawValue: row["state"]), let seed = UInt64(seed) else {
                throw StoreError(.malformed, path, "the entry of trial '\(key)' cannot be read")
            }
            return StoredTrial(
                id: id, experimentHash: experimentHash, key: key,
                configuration: try json(row["configuration"], "trial '\(key)'"), seed: seed,
                requirements: try Self.requirements(ofTrial: id, database), state: state,
                attempts: row["attempts"],
                started: row["started"], finished: row["finished"], error: row["error"],
                modelPath: row["modelPath"], modelSHA256: row["modelSHA256"],
                checkpointPath: row["checkpointPath"],
                folder: row["folder"],
                isBeingRun: state == .running
                    && (row["folder"] as String?).map { FileLock.isHeld(lockPath(folder: $0)) } == true)
        }
    }

    static func requirements(ofTrial id: Int64, _ database: Database) throws -> [String] {
        try String.fetchAll(
            database, sql: "SELECT key FROM requirement WHERE trialID = ? ORDER BY position", arguments: [id])
    }

    func json(_ text: String, _ what: String) throws(StoreError) -> JSONValue {
        do {
            return try JSONValue(parsing: Array(text.utf8))
        } catch {
            throw StoreError(
                .malformed, path, "the entry of \(what) cannot be read: \(JSONText.reason(error))")
        }
    }

    /// The row of an experiment, made if it is not there.
    static func experimentID(_ experiment: Experiment, created: String, _ database: Database) throws -> Int64
    {
        let hash = experiment.hash
        try database.execute(
            sql: """
                INSERT INTO experiment (hash, command, configuration, codeVersion, dataFingerprint, created)
                VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING
                """,
            arguments: [
                hash, experiment.command, experiment.configuration.canonicalText, experiment.codeVersion,
                experiment.dataFingerprint, created,
            ])
        guard
            let id = try Int64.fetchOne(
                database, sql: "SELECT id FROM experiment WHERE hash = ?", arguments: [hash])
        else { throw DatabaseError(message: "the experiment just recorded is not there") }
        return id
    }
}
