package import EspalierKernels
import Foundation
import Synchronization

/// What a trial's body has to work with.
package final class TrialContext: Sendable {
    package let key: String
    package let seed: UInt64
    /// 1 for the first attempt.
    package let attempt: Int
    /// The lane that the body runs on, of one thread.
    package let lane: Lane
    /// Where the body saves how far it has come, all or nothing; whatever format it likes. Removed when it has finished.
    package let checkpointPath: String

    private let folder: String
    private let store: RunStore
    private let trialID: Int64
    private let required: [String: FinishedTrial]
    private let cancellation: @Sendable () -> Bool
    private let observer: @Sendable (TrialEvent) -> Void
    private let written = Mutex<WrittenFile?>(nil)

    init(
        trial: Trial, claim: ClaimedTrial, store: RunStore, lane: Lane, required: [String: FinishedTrial],
        isCancelled: @escaping @Sendable () -> Bool, observer: @escaping @Sendable (TrialEvent) -> Void
    ) {
        key = trial.key
        seed = trial.seed
        attempt = claim.attempt
        self.lane = lane
        folder = claim.folder
        checkpointPath = "\(claim.folder)/\(TrialFolder.checkpoint)"
        self.store = store
        trialID = claim.id
        self.required = required
        cancellation = isCancelled
        self.observer = observer
    }

    /// Whether an earlier attempt left something to go on from.
    package var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: checkpointPath) }

    /// Whether to save a checkpoint and throw ``TrialInterruption`` at the next safe point.
    package var isCancelled: Bool { cancellation() }

    /// Records an epoch. One that is repeated after an interruption replaces the earlier.
    ///
    /// - Throws: ``StoreError``, which the body must pass on.
    package func report(_ epoch: RunRecord.Epoch) throws(StoreError) {
        try store.report(epoch, of: trialID)
        observer(.epoch(key: key, epoch))
    }

    /// Tells how far the body has come. Cheap; nothing is recorded.
    package func progress(_ done: Int, of total: Int) {
        observer(.progress(key: key, done: done, total: total))
    }

    /// The result of a trial that this one requires.
    ///
    /// - Throws: ``TrialError`` `undeclared`.
    package func result(of key: String) throws(TrialError) -> FinishedTrial {
        guard let result = required[key] else { throw .undeclared(key: key, by: self.key) }
        return result
    }

    /// Writes the model that the trial leaves: `write` gets a temporary path, and the file takes its name when it is
    /// complete. Its hash is recorded with the result.
    ///
    /// - Throws: what `write` throws, or the file system.
    package func writeModel(named name: String = "model.onnx", _ write: (String) throws -> Void) throws {
        let hash = try writeFile(named: name, write)
        written.withLock { $0 = WrittenFile(name: name, sha256: hash) }
    }

    /// Writes a file that belongs to the model and lies beside it.
    ///
    /// - Returns: its SHA-256.
    /// - Throws: what `write` throws, or the file system.
    @discardableResult
    package func writeFile(named name: String, _ write: (String) throws -> Void) throws -> String {
        // The ending stays, which may say the format.
        let draft = "\(folder)/\(TrialFolder.draft)\(name)"
        try write(draft)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: draft))
        // The result that tells of the file must not outlive a power failure that the file does not.
        try file.synchronize()
        try file.close()
        let hash = try SHA256.hexDigest(ofFile: draft)
        let target = "\(folder)/\(name)"
        guard rename(draft, target) == 0 else {
            throw StoreError(.notWritable, target, "cannot be written: \(String(cString: strerror(errno)))")
        }
        return hash
    }

    var model: WrittenFile? { written.withLock { $0 } }
}

/// A file in a trial's folder.
struct WrittenFile: Sendable, Equatable {
    let name: String
    let sha256: String
}

/// A trial's result, for those that require it.
package struct FinishedTrial: Sendable {
    package let key: String
    package let record: RunRecord
    private let modelFile: String?
    private let modelSHA256: String?

    init(key: String, record: RunRecord, modelFile: String?, modelSHA256: String?) {
        self.key = key
        self.record = record
        self.modelFile = modelFile
        self.modelSHA256 = modelSHA256
    }

    /// The model's file, after a check that it is what the trial wrote.
    ///
    /// - Throws: ``TrialError`` `missingModel`.
    package func modelPath() throws(TrialError) -> String {
        guard let modelFile, let modelSHA256 else {
            throw .missingModel(key: key, reason: "is not in this store")
        }
        guard let hash = try? SHA256.hexDigest(ofFile: modelFile) else {
            throw .missingModel(key: key, reason: "cannot be read from '\(modelFile)'")
        }
        guard hash == modelSHA256 else {
            throw .missingModel(key: key, reason: "in '\(modelFile)' is not the one that it wrote")
        }
        return modelFile
    }
}

/// What happens while trials run.
package enum TrialEvent: Sendable {
    /// Its result was there.
    case found(key: String)
    case started(key: String, attempt: Int, continues: Bool)
    case progress(key: String, done: Int, total: Int)
    case epoch(key: String, RunRecord.Epoch)
    case finished(key: String, RunRecord)
    case failed(key: String, message: String)
    case interrupted(key: String)
}
