import GRDB

extension RunStore {
    /// Records what a command did.
    ///
    /// - Returns: its number; that of the record that is there already if the documents are the same.
    /// - Throws: ``StoreError``.
    @discardableResult
    package func add(_ record: RunRecord) throws(StoreError) -> Int64 {
        let document: JSONValue
        do {
            document = try JSONValue(encoding: record)
        } catch {
            throw StoreError(.malformed, path, "a record cannot be written as JSON: \(error)")
        }
        return try write { try Self.insert(document, record, trialID: nil, into: $0).id }
    }

    /// All records, oldest first.
    package func records() throws(StoreError) -> [StoredRecord] {
        try read { try records($0, where: "TRUE", []) }
    }

    /// The records of these numbers, in their order.
    ///
    /// - Throws: ``StoreError`` `missing` for the first that is not there.
    package func records(ids: [Int64]) throws(StoreError) -> [StoredRecord] {
        try read { database in
            try ids.map { id in
                guard let record = try records(database, where: "record.id = ?", [id]).first else {
                    throw StoreError(
                        .missing, path, "there is no record \(id); 'espalier runs list' shows which are")
                }
                return record
            }
        }
    }

    func records(
        _ database: Database, where condition: String, _ arguments: StatementArguments
    ) throws -> [StoredRecord] {
        try Row.fetchAll(
            database, sql: "\(StoredRecord.selection) WHERE \(condition) ORDER BY record.id",
            arguments: arguments
        ).map { try StoredRecord(row: $0, path: path) }
    }

    /// Adds a document unless it is there.
    ///
    /// - Returns: its number, and whether it is new.
    @discardableResult
    static func insert(
        _ document: JSONValue, _ record: RunRecord, trialID: Int64?, into database: Database
    ) throws -> (id: Int64, isNew: Bool) {
        let text = document.canonicalText
        let hash = SHA256.hexDigest(of: text)
        if trialID == nil,
            let known = try Int64.fetchOne(
                database, sql: "SELECT min(id) FROM record WHERE contentHash = ?", arguments: [hash])
        {
            return (known, false)
        }
        let summary = RunSummary(record)
        try database.execute(
            sql: """
                INSERT INTO record (trialID, contentHash, command, date, model, data, dataFingerprint, seed, accuracy,
                    loss, sparsity, parameters, nonzero, macs, effectiveMacs, elapsedSeconds, document, added)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                trialID, hash, record.command, record.date, record.model?.name, record.data?.name,
                record.data?.fingerprint, record.seed.map(String.init), summary.accuracy, summary.loss,
                summary.sparsity, summary.size?.parameters, summary.size?.nonzero, summary.size?.macs,
                summary.size?.effectiveMacs, record.elapsedSeconds, text, Timestamp.now(),
            ])
        return (database.lastInsertedRowID, true)
    }
}
