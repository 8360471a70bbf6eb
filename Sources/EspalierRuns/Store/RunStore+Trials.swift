import Foundation
import GRDB

/// A trial that this process may run: nobody else can while ``lock`` lives.
struct ClaimedTrial: Sendable {
    let id: Int64
    let lock: FileLock
    /// The trial's folder.
    let folder: String
    /// 1 for the first attempt.
    let attempt: Int
    /// Whether there is something to go on from.
    let continues: Bool
}

enum Claim: Sendable {
    case taken(ClaimedTrial)
    /// Its result is there.
    case finished
    /// Another process, or another lane, is at it.
    case held
}

extension RunStore {
    /// Enters an experiment's trials, those that are not there yet as pending.
    ///
    /// - Throws: ``StoreError`` `conflict` if one is there with another seed, configuration or requirements: keys must be
    ///   stable.
    func enroll(_ trials: [Trial], in experiment: Experiment) throws(StoreError) -> [String: StoredTrial] {
        try write { database in
            let experimentID = try Self.experimentID(experiment, created: Timestamp.now(), database)
            let hash = experiment.hash
            let known = Dictionary(
                try self.trials(database, experimentHash: hash).map { ($0.key, $0) }, uniquingKeysWith: { $1 }
            )
            for trial in trials {
                if let known = known[trial.key] {
                    guard known.seed == trial.seed, known.configuration == trial.configuration,
                        known.requirements == trial.requirements
                    else {
                        throw StoreError(
                            .conflict, path,
                            "trial '\(trial.key)' of experiment \(hash.prefix(8)) is recorded with another seed, "
                                + "configuration or requirements; remove it with 'espalier runs delete "
                                + "\(hash.prefix(8)):\(trial.key)', or give the trial another key")
                    }
                } else {
                    try Self.insert(trial.entry, experimentID: experimentID, database)
                }
            }
            return Dictionary(
                try self.trials(database, experimentHash: hash).map { ($0.key, $0) }, uniquingKeysWith: { $1 }
            )
        }
    }

    @discardableResult
    static func insert(_ trial: TrialEntry, experimentID: Int64, _ database: Database) throws -> Int64 {
        try database.execute(
            sql: "INSERT INTO trial (experimentID, key, configuration, seed) VALUES (?, ?, ?, ?)",
            arguments: [experimentID, trial.key, trial.configuration.canonicalText, String(trial.seed)])
        let id = database.lastInsertedRowID
        for (position, key) in trial.requirements.enumerated() {
            try database.execute(
                sql: "INSERT INTO requirement (trialID, position, key) VALUES (?, ?, ?)",
                arguments: [id, position, key])
        }
        return id
    }

    /// Takes a trial to run it, unless it is finished or somebody is at it.
    ///
    /// The lock comes first and the state is read under it. So a trial that is called running although its lock was free
    /// is one that a killed process left behind, and of two processes only one can begin it.
    func claim(_ trial: StoredTrial) throws(StoreError) -> Claim {
        let name = trial.folder ?? Self.folderName(trial)
        let folder = "\(filesFolder)/\(name)"
        guard let lock = try lock(folder: name) else { return .held }
        let continues = FileManager.default.fileExists(atPath: "\(folder)/\(TrialFolder.checkpoint)")
        let attempt: Int? = try write { database in
            guard
                let state = try String.fetchOne(
                    database, sql: "SELECT state FROM trial WHERE id = ?", arguments: [trial.id])
            else {
                throw StoreError(
                    .missing, path, "trial '\(trial.key)' was deleted while the experiment ran; run it again")
            }
            guard state != TrialState.finished.rawValue else { return nil }
            try database.execute(
                sql: """
                    UPDATE trial SET state = 'running', attempts = attempts + 1, started = coalesce(started, ?),
                        finished = NULL, error = NULL, folder = ?, checkpointPath = ? WHERE id = ?
                    """,
                arguments: [
                    Timestamp.now(), name, continues ? "\(name)/\(TrialFolder.checkpoint)" : nil, trial.id,
                ])
            if !continues {
                try database.execute(sql: "DELETE FROM epoch WHERE trialID = ?", arguments: [trial.id])
            }
            return try Int.fetchOne(
                database, sql: "SELECT attempts FROM trial WHERE id = ?", arguments: [trial.id])
        }
        guard let attempt else {
            // Made just now, after the one who finished it had cleared it away.
            TrialFolder.tidy(folder)
            return .finished
        }
        return .taken(
            ClaimedTrial(id: trial.id, lock: lock, folder: folder, attempt: attempt, continues: continues))
    }

    /// Records a trial's result, and its model's file name and hash if it wrote one.
    func finish(_ trial: ClaimedTrial, _ record: RunRecord, model: WrittenFile?) throws(StoreError) {
        let document: JSONValue
        do {
            document = try JSONValue(encoding: record)
        } catch {
            throw StoreError(.malformed, path, "a trial's record cannot be written as JSON: \(error)")
        }
        try write { database in
            try Self.insert(document, record, trialID: trial.id, into: database)
            try database.execute(
                sql: """
                    UPDATE trial SET state = 'finished', finished = ?, error = NULL, checkpointPath = NULL,
                        modelPath = folder || '/' || ?, modelSHA256 = ? WHERE id = ?
                    """, arguments: [Timestamp.now(), model?.name, model?.sha256, trial.id])
        }
    }

    func fail(_ trial: ClaimedTrial, _ message: String) throws(StoreError) {
        try write { database in
            try database.execute(
                sql:
                    "UPDATE trial SET state = 'failed', finished = ?, error = ?, checkpointPath = ? WHERE id = ?",
                arguments: [Timestamp.now(), message, checkpoint(trial), trial.id])
        }
    }

    /// Gives a trial back that stopped in good order.
    func release(_ trial: ClaimedTrial) throws(StoreError) {
        try write { database in
            try database.execute(
                sql: "UPDATE trial SET state = 'pending', checkpointPath = ? WHERE id = ?",
                arguments: [checkpoint(trial), trial.id])
        }
    }

    /// Forgets what an attempt reported whose checkpoint is of no use.
    func restart(_ trial: ClaimedTrial) throws(StoreError) {
        try write { database in
            try database.execute(sql: "DELETE FROM epoch WHERE trialID = ?", arguments: [trial.id])
            try database.execute(
                sql: "UPDATE trial SET checkpointPath = NULL WHERE id = ?", arguments: [trial.id])
        }
    }

    /// Records an epoch; one of that number, from before an interruption, is replaced.
    func report(_ epoch: RunRecord.Epoch, of trialID: Int64) throws(StoreError) {
        try write { try Self.insert(epoch, trialID: trialID, $0) }
    }

    static func insert(_ epoch: RunRecord.Epoch, trialID: Int64, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO epoch (trialID, epoch, trainingLoss, trainingAccuracy, validationLoss,
                    validationAccuracy, learningRate, sparsity, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                trialID, epoch.epoch, epoch.trainingLoss, epoch.trainingAccuracy, epoch.validationLoss,
                epoch.validationAccuracy, epoch.learningRate, epoch.sparsity, epoch.seconds,
            ])
    }

    /// The lock on a trial's folder, which is made; nil if another holds it.
    private func lock(folder: String) throws(StoreError) -> FileLock? {
        // Whoever finishes the trial removes its lock and, if it is empty, the folder: perhaps right before we lock.
        for _ in 0..<100 {
            do {
                try FileManager.default.createDirectory(
                    atPath: "\(filesFolder)/\(folder)", withIntermediateDirectories: true)
            } catch {
                throw Self.typed(error, path: "\(filesFolder)/\(folder)")
            }
            do throws(StoreError) {
                return try FileLock.acquire(lockPath(folder: folder))
            } catch  where error.code == .missing {
                continue
            }
        }
        return nil
    }

    func lockPath(folder: String) -> String { "\(filesFolder)/\(folder)/\(TrialFolder.lock)" }

    private func checkpoint(_ trial: ClaimedTrial) -> String? {
        let path = "\(trial.folder)/\(TrialFolder.checkpoint)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return String(path.dropFirst(filesFolder.count + 1))
    }

    /// A folder's name: unique by the row's number, readable by the key.
    private static func folderName(_ trial: StoredTrial) -> String {
        let readable = trial.key.unicodeScalars.prefix(60).map { scalar -> Character in
            let isPlain =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || "0123456789.-=".unicodeScalars.contains(scalar))
            return isPlain ? Character(scalar) : "_"
        }
        return "\(trial.experimentHash.prefix(8))/\(trial.id)-\(String(readable))"
    }
}
