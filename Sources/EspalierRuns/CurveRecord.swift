extension RunRecord {
    /// How a network's accuracy falls as one criterion removes more: a result of `compare`.
    public struct Curve: Codable, Sendable, Equatable {
        public var criterion: String
        /// By ascending sparsity.
        public var points: [CurvePoint]
        /// The mean time that it took to decide what goes: passes over the data, scores and plan. Absent where planning
        /// and training alternate.
        public var decisionSeconds: Double?

        public init(criterion: String, points: [CurvePoint], decisionSeconds: Double? = nil) {
            self.criterion = criterion
            self.points = points
            self.decisionSeconds = decisionSeconds
        }
    }

    /// Runs of one criterion at one sparsity, over seeds.
    public struct CurvePoint: Codable, Sendable, Equatable {
        /// The share of the prunable parameters that was to be removed.
        public var sparsity: Double
        /// The mean accuracy on the test data.
        public var mean: Double
        /// The sample's standard deviation; absent with one run.
        public var std: Double?
        /// The number of runs.
        public var runs: Int
        /// The mean accuracy on the validation data: what choices are to be made by.
        public var validation: Double?
        /// The mean share of the multiply-accumulates that is left.
        public var effectiveMacs: Double
        /// The accuracy minus that of the first criterion, paired by seed; absent for the first.
        public var difference: Difference?

        public init(
            sparsity: Double, mean: Double, std: Double?, runs: Int, validation: Double?,
            effectiveMacs: Double, difference: Difference? = nil
        ) {
            self.sparsity = sparsity
            self.mean = mean
            self.std = std
            self.runs = runs
            self.validation = validation
            self.effectiveMacs = effectiveMacs
            self.difference = difference
        }
    }

    /// A mean of paired differences with its two-sided 95 % interval (Student's t).
    public struct Difference: Codable, Sendable, Equatable {
        public var mean: Double
        /// The interval's ends; absent where all pairs differ by the same, which tells nothing of how far they spread.
        public var low: Double?
        public var high: Double?

        public init(mean: Double, low: Double? = nil, high: Double? = nil) {
            self.mean = mean
            self.low = low
            self.high = high
        }
    }
}

extension RunRecord.Curve {
    /// The curves of some criteria, from the records of their runs.
    ///
    /// - Parameters:
    ///   - criteria: in the order wanted; the first is what the others are compared with.
    ///   - runs: the records of a criterion at a sparsity, one for each seed that is done.
    package static func curves(
        _ criteria: [String], sparsities: [Double],
        runs: (_ criterion: String, _ sparsity: Double) -> [RunRecord]
    ) -> [RunRecord.Curve] {
        let first = criteria.first
        return criteria.map { criterion in
            var points: [RunRecord.CurvePoint] = []
            var seconds: [Double] = []
            for sparsity in sparsities.sorted() {
                let records = runs(criterion, sparsity)
                let accuracies = records.compactMap(\.accuracy)
                guard !accuracies.isEmpty else { continue }
                let summary = SampleSummary(accuracies)
                let validation = records.compactMap { $0.figures?["validationAccuracy"] }
                var point = RunRecord.CurvePoint(
                    sparsity: sparsity, mean: summary.mean, std: summary.standardDeviation,
                    runs: summary.count,
                    validation: validation.isEmpty ? nil : SampleSummary(validation).mean,
                    effectiveMacs: SampleSummary(records.compactMap(\.remainingMacs)).mean)
                if let first, first != criterion {
                    point.difference = PairedInterval(
                        bySeed(records), minus: bySeed(runs(first, sparsity))
                    ).map { .init($0) }
                }
                points.append(point)
                seconds += records.compactMap { $0.figures?["decisionSeconds"] }
            }
            return RunRecord.Curve(
                criterion: criterion, points: points,
                decisionSeconds: seconds.isEmpty ? nil : SampleSummary(seconds).mean)
        }
    }

    private static func bySeed(_ records: [RunRecord]) -> [UInt64: Double] {
        Dictionary(
            records.compactMap { record in
                record.seed.flatMap { seed in record.accuracy.map { (seed, $0) } }
            }, uniquingKeysWith: { $1 })
    }
}

extension RunRecord.Difference {
    package init(_ interval: PairedInterval) {
        self.init(mean: interval.mean, low: interval.low, high: interval.high)
    }
}

extension RunRecord {
    /// The share of the multiply-accumulates that is left.
    fileprivate var remainingMacs: Double? {
        guard let before, let after, before.macs > 0 else { return nil }
        return Double(after.effectiveMacs) / Double(before.macs)
    }
}
