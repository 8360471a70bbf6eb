/// One line of an export: a record as `--json` prints it, or a trial with its experiment, epochs and result.
///
/// Lines stand for themselves: each trial's names its whole experiment, so files can be cut, joined and sorted. Models
/// and checkpoints do not travel; a model's hash does.
enum RunLine: Sendable, Equatable {
    case record(JSONValue, RunRecord)
    case trial(TrialLine)

    static let schemaVersion = 1

    /// - Throws: ``StoreError`` `malformed`; the place is what `place` says.
    init(_ document: JSONValue, place: @autoclosure () -> String) throws(StoreError) {
        guard case .object(let members) = document else {
            throw StoreError(.malformed, place(), "is no record and no trial")
        }
        guard case .integer(let version)? = members["schemaVersion"] else {
            throw StoreError(
                .malformed, place(),
                "is not what commands print with --json, nor an export: it has no 'schemaVersion'")
        }
        do {
            if members["kind"]?.stringValue == "trial" {
                try Self.check(version, Self.schemaVersion, place: place())
                self = .trial(try document.decoded(as: TrialLine.self))
            } else {
                try Self.check(version, Int64(RunRecord.currentSchemaVersion), place: place())
                self = .record(document, try document.decoded(as: RunRecord.self))
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(
                .malformed, place(),
                "is not what a command with --report prints with --json, nor an export: \(JSONText.reason(error))"
            )
        }
    }

    private static func check(_ version: Int64, _ known: some BinaryInteger, place: String) throws(StoreError)
    {
        guard version == Int64(known) else {
            throw StoreError(.malformed, place, "has schema version \(version); this program reads \(known)")
        }
    }
}

/// A trial as a line of an export.
struct TrialLine: Codable, Sendable, Equatable {
    var schemaVersion = RunLine.schemaVersion
    var kind = "trial"
    var experiment: Experiment
    /// When the experiment was first recorded.
    var created: String
    var key: String
    var configuration: JSONValue
    var seed: UInt64
    var requirements: [String]
    /// `running` never: that belongs to the machine.
    var state: TrialState
    var attempts: Int
    var started: String?
    var finished: String?
    var error: String?
    var modelSHA256: String?
    var epochs: [RunRecord.Epoch]
    /// The result, of a finished trial.
    var record: JSONValue?

    var entry: TrialEntry {
        TrialEntry(key: key, seed: seed, configuration: configuration, requirements: requirements)
    }
}
