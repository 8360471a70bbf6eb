import EspalierRuns
import Foundation
import GRDB
import Testing

/// Stores that cannot be used: each is told of by its kind, with what to do, and left as it was.
struct DamageTests {
    /// A store of 200 records, some twenty pages, in one file; made once, since each record waits for the disk.
    private static let contents = Result {
        let folder = try TemporaryFolder()
        // Closed again, and so one file, before it is read.
        try {
            let store = try RunStore(at: folder("runs.sqlite"))
            for seed in 0..<200 { try store.add(record(seed: UInt64(seed))) }
        }()
        return try bytes(folder("runs.sqlite"))
    }

    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try contents.get().write(to: URL(fileURLWithPath: folder("runs.sqlite")))
        return folder
    }

    private func code(_ path: String, options: RunStore.Options = .init()) -> StoreError.Code? {
        do throws(StoreError) {
            _ = try RunStore(at: path, options: options).records()
            return nil
        } catch {
            #expect(error.description.contains(path))
            return error.code
        }
    }

    /// Whatever part of it is missing.
    @Test(arguments: [0, 1, 99, 100, 4_096, 5_000, 8_192, 40_960])
    func truncated(length: Int) throws {
        let folder = try Self.folder()
        let path = folder("runs.sqlite")
        let left = try bytes(path).prefix(length)
        try Data(left).write(to: URL(fileURLWithPath: path))
        #expect(code(path) == .corrupt)
        #expect(try bytes(path) == left)
    }

    /// Garbage over the header, the schema, or pages in the middle.
    @Test(arguments: [(0, UInt64(1)), (120, 2), (4_096, 3), (20_480, 4)])
    func garbled(offset: Int, seed: UInt64) throws {
        let folder = try Self.folder()
        let path = folder("runs.sqlite")
        var generator = SplitMix(state: seed)
        var contents = try bytes(path)
        try #require(contents.count > offset + 4_096)
        contents.replaceSubrange(
            offset..<offset + 4_096,
            with: (0..<4_096).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        try contents.write(to: URL(fileURLWithPath: path))
        #expect(code(path) == .corrupt)
        #expect(try bytes(path) == contents)
    }

    @Test func otherFilesAreLeftAlone() throws {
        let folder = try TemporaryFolder()
        let text = Data(
            "weights, in a file that is longer than a header of SQLite: \(String(repeating: "x", count: 200))"
                .utf8)
        try text.write(to: URL(fileURLWithPath: folder("model.onnx")))
        #expect(code(folder("model.onnx")) == .corrupt)
        #expect(try bytes(folder("model.onnx")) == text)

        try DatabaseQueue(path: folder("other.sqlite")).write {
            try $0.execute(sql: "CREATE TABLE album (title TEXT)")
        }
        let other = try bytes(folder("other.sqlite"))
        #expect(code(folder("other.sqlite")) == .notAStore)
        // Reading it sets no journal mode either.
        #expect(try bytes(folder("other.sqlite")) == other)
    }

    @Test func journalsWithoutTheirFileAreLeftAlone() throws {
        let folder = try TemporaryFolder()
        let journal = Data("what was recorded last".utf8)
        try journal.write(to: URL(fileURLWithPath: folder("runs.sqlite-wal")))
        #expect(code(folder("runs.sqlite")) == .corrupt)
        #expect(try bytes(folder("runs.sqlite-wal")) == journal && !exists(folder("runs.sqlite")))
    }

    @Test func newerStoresAreLeftAlone() throws {
        let folder = try Self.folder()
        try DatabaseQueue(path: folder("runs.sqlite")).write {
            try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('2000')")
        }
        #expect(code(folder("runs.sqlite")) == .newerSchema)
    }

    @Test func lockedStoresAreWaitedForOnly() throws {
        let folder = try Self.folder()
        let store = try RunStore(at: folder("runs.sqlite"), options: Self.impatient)
        let other = try Self.otherProcess(folder)
        try other.inDatabase { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        #expect(throws: StoreError.self) { try store.add(record(accuracy: 0.5)) }
        do throws(StoreError) {
            try store.add(record(accuracy: 0.5))
            Issue.record("a locked store was written to")
        } catch {
            #expect(error.code == .locked)
        }
        try other.inDatabase { try $0.execute(sql: "COMMIT") }
        try store.add(record(accuracy: 0.5))
        #expect(try store.records().count == 201)
    }

    @Test func exclusivelyOpenedStoresCannotBeOpened() throws {
        let folder = try Self.folder()
        let other = try Self.otherProcess(folder)
        try other.inDatabase { database in
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
        }
        #expect(code(folder("runs.sqlite"), options: Self.impatient) == .locked)
    }

    /// A connection that may leave a transaction open.
    private static func otherProcess(_ folder: TemporaryFolder) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: folder("runs.sqlite"), configuration: configuration)
    }

    private static var impatient: RunStore.Options {
        var options = RunStore.Options()
        options.busyTimeout = .milliseconds(10)
        return options
    }

    /// A disk that fills up, by SQLite's own limit on pages.
    @Test func fullDisksLoseNothing() throws {
        let folder = try Self.folder()
        let path = folder("runs.sqlite")
        var options = RunStore.Options()
        options.maximumPageCount = try bytes(path).count / 4_096 + 4
        var added: Set<UInt64> = []
        var failure: StoreError?
        do {
            let store = try RunStore(at: path, options: options)
            for seed in 1_000..<UInt64(2_000) where failure == nil {
                do throws(StoreError) {
                    try store.add(record(seed: seed))
                    added.insert(seed)
                } catch {
                    failure = error
                }
            }
        }
        #expect(failure?.code == .diskFull)
        #expect(failure?.reason.contains("make room") == true)
        let store = try RunStore(at: path)
        #expect(Set(try store.records().compactMap(\.record.seed)) == added.union(0..<200))
        try store.add(record(seed: 9_999))
    }

    @Test func missingPlacesAreNamed() throws {
        let folder = try TemporaryFolder()
        #expect(code(folder("none/runs.sqlite")) == .notWritable)
        var options = RunStore.Options()
        options.createsIfMissing = false
        #expect(code(folder("runs.sqlite"), options: options) == .missing)
        #expect(!exists(folder("runs.sqlite")))
        // A folder is no file.
        #expect(code(folder.path) == .notWritable)
    }

    /// The administrator may write everywhere, so this says something only for others.
    @Test(.enabled(if: geteuid() != 0, "run as a user who may not write everywhere"))
    func readOnlyFolders() throws {
        let folder = try Self.folder()
        func permit(_ mode: Int) throws {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder.path)
        }
        try permit(0o555)
        #expect(code(folder("runs.sqlite")) == .notWritable)
        #expect(code(folder("new.sqlite")) == .notWritable)
        try permit(0o755)
        #expect(code(folder("runs.sqlite")) == nil)
    }
}
