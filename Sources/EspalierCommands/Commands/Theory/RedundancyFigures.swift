import EspalierRedundancy
import EspalierTensors

/// What `theory redundancy --json` prints: predictions, and their simulated twins.
struct RedundancyFigures: Encodable {
    let schemaVersion = 1
    let units: Int
    let groups: Int
    let trials: Int
    let seed: UInt64
    let confidence = Self.confidence
    var q: Double?
    var pruned: Int?
    var reliability: Double?
    var largestQ: Double?
    private(set) var figures: [Figure] = []

    private let sizes: GroupSizes

    /// Of the intervals around simulated probabilities.
    static let confidence = 0.99

    struct Figure: Encodable {
        let name: String
        /// The size of the group that it is about, if about one.
        var groupUnits: Int?
        let predicted: Double
        let simulated: Double
        /// The exact binomial interval; absent for figures that are not probabilities.
        var lower: Double?
        var upper: Double?
    }

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, units, groups, trials, seed, confidence, q, pruned, reliability, largestQ, figures
    }

    init(sizes: GroupSizes, trials: Int, seed: UInt64) {
        self.sizes = sizes
        self.trials = trials
        self.seed = seed
        units = sizes.unitCount
        groups = sizes.sizes.count
    }

    mutating func add(_ removal: IndependentRemoval) throws {
        q = removal.rate
        var random = RandomSource(seed: seed).split("independent removal")
        try add(
            removal.simulate(trials: trials, random: &random), survival: removal.survivalProbability,
            failures: removal.expectedFailures, ofSize: removal.failureProbability)
    }

    mutating func add(_ removal: UniformRemoval) throws {
        pruned = removal.removed
        var random = RandomSource(seed: seed).split("uniform removal")
        try add(
            removal.simulate(trials: trials, random: &random), survival: removal.survivalProbability,
            failures: removal.expectedFailures, ofSize: removal.failureProbability)
    }

    private mutating func add(
        _ tally: RemovalTally, survival: Double, failures: Double, ofSize: (Int) -> Double
    ) throws {
        func interval(_ count: Int) throws -> BinomialInterval {
            try BinomialInterval(successes: count, trials: tally.trials, confidence: Self.confidence)
        }
        for size in sizes.distinct.map(\.size) {
            let seen = try interval(tally.failuresOfFirst(size: size))
            figures.append(
                Figure(
                    name: "a group of \(size) fails", groupUnits: size, predicted: ofSize(size),
                    simulated: seen.estimate, lower: seen.lower, upper: seen.upper))
        }
        let seen = try interval(tally.survivals)
        figures.append(
            Figure(
                name: "no group fails", predicted: survival, simulated: seen.estimate, lower: seen.lower,
                upper: seen.upper))
        figures.append(
            Figure(name: "groups that fail, mean", predicted: failures, simulated: tally.meanFailures))
    }
}
