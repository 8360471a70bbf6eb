import EspalierRuns

extension TrialOutcome {
    /// What was not done, and why; nil if all was.
    var refusals: [RunRecord.Refusal]? {
        let failed = failures.sorted { $0.key < $1.key }.map {
            RunRecord.Refusal(name: $0.key, reason: $0.value)
        }
        let left = blocked.map {
            RunRecord.Refusal(name: $0, reason: "not run: what it needs has failed")
        }
        return failed.isEmpty && left.isEmpty ? nil : failed + left
    }

    /// - Throws: ``CommandFailure`` if a trial failed.
    func check() throws(CommandFailure) {
        guard let first = failures.min(by: { $0.key < $1.key }) else { return }
        throw CommandFailure("\(failures.count) runs failed: the first says: \(first.value)")
    }
}
