import GRDB

/// What an import did.
package struct ImportSummary: Sendable, Equatable, Encodable {
    /// Documents that are new here.
    package var added = 0
    /// Trials that were known here, without a result.
    package var completed = 0
    /// Documents that were here already.
    package var known = 0
    /// Trials whose result differs from the one here, which stays.
    package var conflicts: [String] = []

    package init() {}
}

extension RunStore {
    /// Takes in what ``export(_:line:)`` wrote, or documents that commands printed with `--json`, whether one a line or
    /// spread over lines or in a list. All of it or, if any of it cannot be read, nothing.
    ///
    /// Importing twice changes nothing: documents of the same content are recognised.
    ///
    /// - Parameter name: the file's, for messages.
    /// - Throws: ``StoreError``; `malformed` says the line.
    package func importDocuments(
        _ bytes: some Collection<UInt8>, name: String
    ) throws(StoreError) -> ImportSummary {
        var lines: [RunLine] = []
        for (line, bytes) in JSONText.documents(in: bytes) {
            let document: JSONValue
            do {
                document = try JSONValue(parsing: bytes)
            } catch {
                throw StoreError(.malformed, "\(name):\(line)", JSONText.reason(error))
            }
            let list: [JSONValue] = if case .array(let elements) = document { elements } else { [document] }
            for element in list { lines.append(try RunLine(element, place: "\(name):\(line)")) }
        }
        let parsed = lines
        return try write { database in
            var summary = ImportSummary()
            for line in parsed {
                switch line {
                case .record(let document, let record):
                    let isNew = try Self.insert(document, record, trialID: nil, into: database).isNew
                    if isNew { summary.added += 1 } else { summary.known += 1 }
                case .trial(let trial): try insert(trial, database, &summary)
                }
            }
            return summary
        }
    }

    private func insert(_ line: TrialLine, _ database: Database, _ summary: inout ImportSummary) throws {
        let hash = line.experiment.hash
        let name = "\(hash.prefix(8)):\(line.key)"
        guard let known = try trials(database, experimentHash: hash, key: line.key).first else {
            let experimentID = try Self.experimentID(line.experiment, created: line.created, database)
            let id = try Self.insert(line.entry, experimentID: experimentID, database)
            try fill(id, line, database)
            summary.added += 1
            return
        }
        guard known.seed == line.seed, known.configuration == line.configuration,
            known.requirements == line.requirements
        else {
            summary.conflicts.append("\(name): another seed, configuration or requirements")
            return
        }
        guard line.state == .finished else {
            summary.known += 1
            return
        }
        guard known.state == .finished else {
            if known.isBeingRun {
                summary.conflicts.append("\(name): is being run here")
            } else {
                try fill(known.id, line, database)
                summary.completed += 1
            }
            return
        }
        let stored = try String.fetchOne(
            database, sql: "SELECT contentHash FROM record WHERE trialID = ?", arguments: [known.id])
        if stored == line.record?.contentHash {
            summary.known += 1
        } else {
            summary.conflicts.append("\(name): another result")
        }
    }

    private func fill(_ id: Int64, _ line: TrialLine, _ database: Database) throws {
        guard (line.state == .finished) == (line.record != nil) else {
            throw StoreError(
                .malformed, "trial '\(line.key)'", "a trial has a record if, and only if, it is finished")
        }
        let state = line.state == .running ? TrialState.pending : line.state
        try database.execute(
            sql: """
                UPDATE trial SET state = ?, attempts = ?, started = ?, finished = ?, error = ?, modelPath = NULL,
                    modelSHA256 = ?, checkpointPath = NULL WHERE id = ?
                """,
            arguments: [
                state.rawValue, line.attempts, line.started, line.finished, line.error, line.modelSHA256, id,
            ])
        try database.execute(sql: "DELETE FROM epoch WHERE trialID = ?", arguments: [id])
        for epoch in line.epochs { try Self.insert(epoch, trialID: id, database) }
        if let document = line.record {
            let record: RunRecord
            do {
                record = try document.decoded(as: RunRecord.self)
            } catch {
                throw StoreError(.malformed, "trial '\(line.key)'", "its record: \(JSONText.reason(error))")
            }
            try Self.insert(document, record, trialID: id, into: database)
        }
    }
}
