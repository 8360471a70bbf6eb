import Espalier
import EspalierRuns
import Foundation

/// Begins a command's record: when, where and by which words it was run.
struct RunRecorder {
    private let command: String
    private let common: CommonOptions
    private let start = Date()
    private let invocation = Invocation.current

    /// - Throws: ``CommandFailure`` or ``StoreError`` if the report or the store that is wanted cannot be written.
    init(_ command: String, _ common: CommonOptions) throws {
        if let report = common.report { try OutputFile.check(report) }
        // Made here, so that a store of no use is told of before the work and not after it.
        if let store = common.store { _ = try RunStore(at: store) }
        self.command = command
        self.common = common
    }

    /// The record as far as it is the same for all commands, with the time that has passed by now.
    func record(model: LoadedModel?) -> RunRecord {
        var record = RunRecord(
            command: command, arguments: invocation.arguments, espalierVersion: EspalierVersion.current,
            date: start.formatted(.iso8601))
        record.seed = common.seed
        record.threads = common.threads
        record.machine = .current
        record.model = model.map { .init(name: $0.name, path: $0.path) }
        record.elapsedSeconds = Date().timeIntervalSince(start)
        return record
    }
}
