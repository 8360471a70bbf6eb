import EspalierRuns
import Foundation

/// A folder that is removed with all that is in it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "espalier-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}

/// A record that differs from others by its figures.
func record(
    _ command: String = "eval", seed: UInt64? = nil, accuracy: Double? = nil, macs: Int? = nil,
    loss: Double? = nil
) -> RunRecord {
    var record = RunRecord(
        command: command, arguments: [command], espalierVersion: "1", date: "2026-01-02T03:04:05Z")
    record.seed = seed
    record.accuracy = accuracy
    record.loss = loss
    record.after = macs.map { .init(parameters: 10, nonzero: 5, macs: $0, effectiveMacs: $0 / 2) }
    return record
}

let experiment = Experiment(
    command: "test", configuration: ["epochs": 3], codeVersion: "1", dataFingerprint: "abc")

func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
