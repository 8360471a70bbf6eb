import Foundation
import GRDB

/// What a deletion takes, all of it.
package struct Deletion: Sendable, Equatable, Encodable {
    /// Numbers of records, those of the trials included.
    package var records: [Int64] = []
    /// `HASH:KEY` of trials.
    package var trials: [String] = []
    /// Hashes of experiments of which nothing is left.
    package var experiments: [String] = []
    /// Files and folders.
    package var files: [String] = []

    package init() {}
}

extension RunStore {
    /// Deletes records, trials or whole experiments with their files.
    ///
    /// - Returns: what went.
    /// - Throws: ``StoreError`` `missing`; `inUse` if one of the trials, or one that requires it, is being run; `conflict` for the record of a trial
    ///   named by its number, which is deleted as a trial. Nothing is deleted then.
    package func delete(_ selections: [RunSelection]) throws(StoreError) -> Deletion {
        var deletion = Deletion()
        var locks: [FileLock] = []
        var trials: [Int64: StoredTrial] = [:]
        for selection in selections {
            switch selection.part {
            case .records(let ids):
                for record in try records(ids: ids) {
                    if let trial = record.trial {
                        throw StoreError(
                            .conflict, path,
                            "record \(record.id) is the result of a trial; delete that: "
                                + "\(trial.experimentHash.prefix(8)):\(trial.key)")
                    }
                    if !deletion.records.contains(record.id) { deletion.records.append(record.id) }
                }
            case .trials(let hash, let pattern):
                let chosen = try self.trials(of: hash).filter { selection.contains($0, record: nil) }
                guard !chosen.isEmpty || pattern == nil else {
                    throw StoreError(.missing, path, "there is no trial '\(selection.name)'")
                }
                for trial in chosen where trials.updateValue(trial, forKey: trial.id) == nil {
                    guard let lock = try lockForDeletion(of: trial) else { continue }
                    locks.append(lock)
                }
                if pattern == nil { deletion.experiments.append(hash) }
            }
        }
        let doomed = trials.values.sorted { $0.id < $1.id }
        try refuseNeeded(doomed)
        deletion.trials = doomed.map { "\($0.experimentHash.prefix(8)):\($0.key)" }
        deletion.files = doomed.compactMap { trial in
            trial.folder.map { "\(filesFolder)/\($0)" }.flatMap {
                FileManager.default.fileExists(atPath: $0) ? $0 : nil
            }
        }
        let plan = deletion
        let done = try write { try remove(plan, doomed, $0) }
        // Only now: a file without its entry is litter, an entry without its file an error.
        for file in done.files {
            try? FileManager.default.removeItem(atPath: file)
            // An experiment's own folder, once it is empty.
            rmdir(URL(fileURLWithPath: file).deletingLastPathComponent().path)
        }
        withExtendedLifetime(locks) {}
        let left = done.files.filter { FileManager.default.fileExists(atPath: $0) }
        guard left.isEmpty else {
            throw StoreError(
                .notWritable, left.joined(separator: ", "),
                "could not be removed; the store's entries are. Remove it by hand")
        }
        return done
    }

    private func lockForDeletion(of trial: StoredTrial) throws(StoreError) -> FileLock? {
        // Finished ones are never run again.
        guard trial.state != .finished, let folder = trial.folder,
            FileManager.default.fileExists(atPath: "\(filesFolder)/\(folder)")
        else {
            return nil
        }
        guard let lock = try FileLock.acquire(lockPath(folder: folder)) else {
            throw StoreError(
                .inUse, path,
                "trial '\(trial.key)' of experiment \(trial.experimentHash.prefix(8)) is being run; stop that first"
            )
        }
        return lock
    }

    /// What runs at this moment may be about to read the model of what it requires.
    private func refuseNeeded(_ doomed: [StoredTrial]) throws(StoreError) {
        for hash in Set(doomed.map(\.experimentHash)) {
            let keys = Set(doomed.filter { $0.experimentHash == hash }.map(\.key))
            for trial in try trials(of: hash) where trial.isBeingRun && !keys.contains(trial.key) {
                guard let key = trial.requirements.first(where: keys.contains) else { continue }
                throw StoreError(
                    .inUse, path,
                    "trial '\(key)' is needed by '\(trial.key)', which is being run; stop that first")
            }
        }
    }

    private func remove(_ plan: Deletion, _ trials: [StoredTrial], _ database: Database) throws -> Deletion {
        var done = plan
        done.experiments = []
        for id in plan.records {
            try database.execute(sql: "DELETE FROM record WHERE id = ?", arguments: [id])
        }
        for trial in trials {
            done.records += try Int64.fetchAll(
                database, sql: "SELECT id FROM record WHERE trialID = ?", arguments: [trial.id])
            try database.execute(sql: "DELETE FROM trial WHERE id = ?", arguments: [trial.id])
        }
        for hash in Set(trials.map(\.experimentHash) + plan.experiments).sorted() {
            let left = try Int.fetchOne(
                database,
                sql:
                    "SELECT count(*) FROM trial JOIN experiment ON experiment.id = experimentID WHERE hash = ?",
                arguments: [hash])
            guard left == 0 else { continue }
            try database.execute(sql: "DELETE FROM experiment WHERE hash = ?", arguments: [hash])
            done.experiments.append(hash)
        }
        done.records.sort()
        return done
    }
}
