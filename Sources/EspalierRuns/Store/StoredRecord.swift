import GRDB

/// A record in the store.
package struct StoredRecord: Sendable, Equatable {
    /// The number that people name it by.
    package let id: Int64
    /// The hash of the experiment and the key of the trial that it is the result of, if it is.
    package let trial: TrialName?
    /// The document as it was recorded, with keys that this program may not know.
    package let document: JSONValue
    package let record: RunRecord

    package struct TrialName: Sendable, Hashable {
        package let experimentHash: String
        package let key: String
    }
}

extension StoredRecord {
    static let selection = """
        SELECT record.id, record.document, trial.key, experiment.hash FROM record
        LEFT JOIN trial ON trial.id = record.trialID LEFT JOIN experiment ON experiment.id = trial.experimentID
        """

    init(row: Row, path: String) throws {
        id = row["id"]
        if let key = row["key"] as String?, let hash = row["hash"] as String? {
            trial = TrialName(experimentHash: hash, key: key)
        } else {
            trial = nil
        }
        do {
            let text: String = row["document"]
            document = try JSONValue(parsing: Array(text.utf8))
            record = try document.decoded(as: RunRecord.self)
        } catch {
            throw StoreError(
                .malformed, path, "the document of record \(id) cannot be read: \(JSONText.reason(error))")
        }
    }
}
