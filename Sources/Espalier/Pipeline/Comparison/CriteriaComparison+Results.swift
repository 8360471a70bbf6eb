package import EspalierRuns

extension CriteriaComparison {
    /// The curves of all criteria, from trials' results by key; the first criterion is what the others are compared with.
    package func curves(_ records: [String: RunRecord]) -> [RunRecord.Curve] {
        RunRecord.Curve.curves(criteria, sparsities: sparsities) { criterion, sparsity in
            seeds.compactMap { records[Self.key(criterion, sparsity: sparsity, seed: $0)] }
        }
    }

    /// The accuracy of the networks before pruning, on the test data.
    package func denseAccuracy(_ records: [String: RunRecord]) -> SampleSummary? {
        let accuracies = Set(seeds.map(denseKey)).sorted().compactMap { records[$0]?.accuracy }
        return accuracies.isEmpty ? nil : SampleSummary(accuracies)
    }

    /// Every run: the dense networks first, as the criterion "dense".
    package func runs(_ records: [String: RunRecord]) -> [(criterion: String, record: RunRecord)] {
        var runs = Set(seeds.map(denseKey)).sorted().compactMap { key in
            records[key].map { (criterion: "dense", record: $0) }
        }
        for criterion in criteria {
            for sparsity in sparsities {
                for seed in seeds {
                    if let record = records[Self.key(criterion, sparsity: sparsity, seed: seed)] {
                        runs.append((criterion, record))
                    }
                }
            }
        }
        return runs
    }
}
