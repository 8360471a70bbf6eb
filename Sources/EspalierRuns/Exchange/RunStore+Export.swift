extension RunStore {
    /// Everything, or the chosen parts, as JSON lines: trials experiment by experiment, then records of single commands,
    /// oldest first. The keys of a line are sorted, so the same content gives the same bytes.
    ///
    /// - Parameters:
    ///   - selections: nil for everything.
    ///   - line: takes each line, without a line feed.
    /// - Returns: how many lines there were.
    @discardableResult
    package func export(
        _ selections: [RunSelection]? = nil, line: (String) throws -> Void
    ) throws -> Int {
        var count = 0
        for stored in try experiments() {
            let records = Dictionary(
                try self.records(of: stored.hash).compactMap { record in record.trial.map { ($0.key, record) }
                },
                uniquingKeysWith: { $1 })
            for trial in try trials(of: stored.hash) {
                let record = records[trial.key]
                guard selections?.contains(where: { $0.contains(trial, record: record) }) ?? true else {
                    continue
                }
                let document = TrialLine(
                    experiment: stored.experiment, created: stored.created, key: trial.key,
                    configuration: trial.configuration, seed: trial.seed, requirements: trial.requirements,
                    state: trial.state == .running ? .pending : trial.state, attempts: trial.attempts,
                    started: trial.started, finished: trial.finished, error: trial.error,
                    modelSHA256: trial.modelSHA256, epochs: try epochs(ofTrial: trial.id),
                    record: record?.document)
                try line(JSONValue(encoding: document).canonicalText)
                count += 1
            }
        }
        for record in try records() where record.trial == nil {
            guard selections?.contains(where: { $0.contains(record) }) ?? true else { continue }
            try line(record.document.canonicalText)
            count += 1
        }
        return count
    }
}
