import Espalier
import EspalierRuns
import EspalierTraining
import Foundation

/// Begins a command's record: when, where and by which words it was run.
struct RunRecorder {
    private let command: String
    private let seed: UInt64
    private let threads: Int
    private let start = Date()
    private let invocation = Invocation.current

    /// Also looks at all files that the command names, before its work begins.
    ///
    /// - Parameters:
    ///   - outputs: what it writes besides report and store.
    ///   - inputs: what it reads besides `data`.
    /// - Throws: ``CommandFailure`` or ``StoreError`` if something cannot be written, or would be lost.
    init(
        _ command: String, _ common: ResultOptions<some StoreUse>, writing outputs: [String?] = [],
        reading inputs: [String?] = [], data: DataSource? = nil
    ) throws {
        let samples: [String?] = data?.files ?? []
        try OutputFile.check(
            outputs + [common.report], areNot: inputs + samples + [common.store ?? RunStore.defaultPath()])
        // Made here, so that a store of no use is told of before the work and not after it.
        if let store = common.store { _ = try RunStore(at: store) }
        self.command = command
        seed = common.seed
        threads = common.threads
    }

    /// The record as far as it is the same for all commands, with the time that has passed by now.
    func record(model: LoadedModel?) -> RunRecord {
        var record = RunRecord(
            command: command, arguments: invocation.arguments, espalierVersion: EspalierVersion.current,
            date: start.formatted(.iso8601))
        record.seed = seed
        record.threads = threads
        record.machine = .current
        record.model = model.map { .init(name: $0.name, path: $0.path) }
        record.elapsedSeconds = Date().timeIntervalSince(start)
        return record
    }
}
