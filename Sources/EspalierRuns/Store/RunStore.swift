import Foundation
import GRDB

/// Everything that was run, in one SQLite file: experiments with their trials, and the records of single commands.
///
/// Several processes may use one store at a time. What is recorded is on the disk when the call returns. Files that trials
/// write lie in ``filesFolder`` beside it.
///
/// ```swift
/// let store = try RunStore(at: "runs.sqlite")
/// try store.add(record)
/// let records = try store.records()
/// ```
package final class RunStore: Sendable {
    package struct Options: Sendable {
        /// How long to wait for another process's transaction.
        package var busyTimeout: Duration = .seconds(10)
        /// Makes the store if there is none.
        package var createsIfMissing = true
        /// The most pages of 4 KiB that the file may have; nil for as many as the disk holds.
        package var maximumPageCount: Int?

        package init() {}
    }

    /// The SQLite file.
    package let path: String
    let queue: DatabaseQueue

    /// Opens the store, or makes it.
    ///
    /// The file is checked throughout, which costs about a second per gigabyte; a damaged one is left as it is.
    ///
    /// - Throws: ``StoreError`` `missing`, `notWritable`, `diskFull`, `locked`, `corrupt`, `newerSchema`, `notAStore`.
    package init(at path: String, options: Options = Options()) throws(StoreError) {
        self.path = path
        do {
            if !FileManager.default.fileExists(atPath: path) {
                guard options.createsIfMissing else {
                    throw StoreError(
                        .missing, path, "there is no store; a command with --store makes one")
                }
                try Self.create(at: path)
            } else {
                try Self.checkBeginning(of: path)
            }
            queue = try DatabaseQueue(path: path, configuration: Self.configuration(options))
            try Self.check(queue, path: path)
        } catch {
            throw Self.typed(error, path: path)
        }
    }

    /// `$XDG_DATA_HOME/espalier/runs.sqlite`, by default under `~/.local/share`. Its folder is made if need be.
    package static func defaultPath(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        // The specification says to ignore relative paths.
        let base = environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        let home = environment["HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path
        return "\(base ?? "\(home)/.local/share")/espalier/runs.sqlite"
    }

    /// Where the trials' files are: models, checkpoints, locks.
    package var filesFolder: String { path + ".files" }

    /// Runs a body that only reads, in one transaction.
    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try queue.read(body)
        } catch {
            throw Self.typed(error, path: path)
        }
    }

    /// Runs a body in one transaction, which is undone if it throws.
    func write<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try queue.write(body)
        } catch {
            throw Self.typed(error, path: path)
        }
    }

    // MARK: Opening

    private static func configuration(_ options: Options) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(
            Double(options.busyTimeout.components.seconds)
                + Double(options.busyTimeout.components.attoseconds) * 1e-18)
        configuration.prepareDatabase { database in
            // A result that took hours is on the disk once it is reported, even if the power fails then.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            if let maximum = options.maximumPageCount {
                try database.execute(sql: "PRAGMA max_page_count = \(maximum)")
            }
        }
        return configuration
    }

    /// Makes a store under another name and gives it its own only when it is complete, so that no other process ever sees
    /// an empty one.
    private static func create(at path: String) throws {
        let url = URL(fileURLWithPath: path)
        let folder = url.deletingLastPathComponent()
        if path == defaultPath() {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        // SQLite would play a journal whose file has gone into the new one.
        let journal = path + "-wal"
        if FileManager.default.fileExists(atPath: journal), !FileManager.default.fileExists(atPath: path) {
            throw StoreError(
                .corrupt, path,
                "is not there, but its journal '\(journal)' is; restore the file, or move the journal away")
        }
        let draft = folder.appending(path: ".\(url.lastPathComponent).\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: draft) }
        do {
            // The file itself remembers the journal mode: opening sets none, nor changes files of other programs.
            var configuration = Configuration()
            configuration.journalMode = .wal
            let queue = try DatabaseQueue(path: draft, configuration: configuration)
            try queue.inDatabase { try $0.execute(sql: "PRAGMA application_id = \(Schema.applicationID)") }
            try Schema.migrator.migrate(queue)
            try queue.close()
        }
        do {
            try FileManager.default.linkItem(atPath: draft, toPath: path)
        } catch  where FileManager.default.fileExists(atPath: path) {
            // Another process was faster; its store is as good.
        }
    }

    /// Refuses what SQLite would take for a new database, and discard a journal that lies beside it: files that are empty or
    /// shorter than a header.
    private static func checkBeginning(of path: String) throws {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        let header = try file.read(upToCount: 100) ?? Data()
        guard !header.isEmpty else {
            throw StoreError(
                .corrupt, path, "is empty, which a store never is; restore it from a copy, or remove it")
        }
        guard header.count == 100, header.starts(with: "SQLite format 3\0".utf8) else {
            throw StoreError(.corrupt, path, isNoDatabase)
        }
    }

    private static let isNoDatabase =
        "is no SQLite file, or its beginning is damaged, and was left as it is; restore it from a copy, or choose "
        + "another file"

    private static func check(_ queue: DatabaseQueue, path: String) throws {
        let isCurrent = try queue.read { database in
            guard try Int.fetchOne(database, sql: "PRAGMA application_id") == Schema.applicationID else {
                throw StoreError(
                    .notAStore, path, "is a database of another program; choose another file")
            }
            let complaint = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
            guard complaint == "ok" else {
                throw StoreError(.corrupt, path, damaged(complaint ?? "it cannot be checked"))
            }
            guard try !Schema.migrator.hasBeenSuperseded(database) else {
                throw StoreError(
                    .newerSchema, path,
                    "was written by a newer version of this program; use that one, or another file")
            }
            return try Schema.migrator.hasCompletedMigrations(database)
        }
        if !isCurrent { try Schema.migrator.migrate(queue) }
    }

    private static func damaged(_ detail: String) -> String {
        "is damaged and was left as it is (\(detail)); restore it from a copy, or save what can be read with "
            + "'sqlite3 FILE .recover'"
    }

    // MARK: Errors

    /// What an error of SQLite or of the file system means to the user.
    static func typed(_ error: any Error, path: String) -> StoreError {
        switch error {
        case let error as StoreError: return error
        case let error as DatabaseError: return typed(error, path: path)
        case let error as CocoaError where error.code == .fileWriteOutOfSpace: return full(path)
        case let error as CocoaError where error.code == .fileReadNoPermission:
            return StoreError(.notWritable, path, "permission denied")
        case is CocoaError:
            return StoreError(.notWritable, path, "cannot be made or opened: \(error.localizedDescription)")
        default: return StoreError(.system, path, "\(error)")
        }
    }

    private static func typed(_ error: DatabaseError, path: String) -> StoreError {
        let detail = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_FULL: return full(path)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            return StoreError(
                .notWritable, path,
                "cannot be opened for writing (\(detail)): the folder '\(folder)' must exist, and you must be "
                    + "allowed to write to it and to the file; or choose another file with --store")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return StoreError(
                .locked, path, "another process has it locked; wait for it to end, then run the command again"
            )
        case .SQLITE_CORRUPT: return StoreError(.corrupt, path, damaged(detail))
        case .SQLITE_NOTADB:
            return StoreError(.corrupt, path, isNoDatabase)
        default: return StoreError(.system, path, detail)
        }
    }

    private static func full(_ path: String) -> StoreError {
        StoreError(
            .diskFull, path,
            "no room is left on the disk; what was recorded before is safe: make room, then run the command again"
        )
    }
}
