extension RunRecord {
    /// What one criterion says of a network: a result of `score`.
    public struct Score: Codable, Sendable, Equatable {
        /// As on the command line.
        public var criterion: String
        public var name: String
        /// The unit of the scores.
        public var unit: String
        /// `element` or `channel`.
        public var granularity: String
        public var layers: [ScoredLayer]
        public var refusals: [Refusal]
        /// Of scoring alone.
        public var seconds: Double
        /// Of the passes over the data that it needed, which other criteria may share.
        public var evidenceSeconds: Double
        public var evidenceBytes: Int

        public init(
            criterion: String, name: String, unit: String, granularity: String, layers: [ScoredLayer],
            refusals: [Refusal], seconds: Double, evidenceSeconds: Double, evidenceBytes: Int
        ) {
            self.criterion = criterion
            self.name = name
            self.unit = unit
            self.granularity = granularity
            self.layers = layers
            self.refusals = refusals
            self.seconds = seconds
            self.evidenceSeconds = evidenceSeconds
            self.evidenceBytes = evidenceBytes
        }
    }

    /// The scores of one weight or one group of channels, summed up.
    public struct ScoredLayer: Codable, Sendable, Equatable {
        public var name: String
        /// The number of scores.
        public var count: Int
        public var mean: Double
        public var max: Double
        public var min: Double
        /// The share of scores below a thousandth of the largest, in size.
        public var nearZero: Double
        /// How unevenly importance is spread, 0 to 1; absent where scores are negative or all zero.
        public var gini: Double?

        public init(
            name: String, count: Int, mean: Double, max: Double, min: Double, nearZero: Double, gini: Double?
        ) {
            self.name = name
            self.count = count
            self.mean = mean
            self.max = max
            self.min = min
            self.nearZero = nearZero
            self.gini = gini
        }
    }

    /// How often the units of one group of channels fire.
    public struct Firing: Codable, Sendable, Equatable {
        public var name: String
        /// Units that fire in no sample, and in fewer than a hundredth of them.
        public var dead: Int
        public var nearlyDead: Int
        /// Per unit the share of samples in which it fires at any position, and of all samples and positions.
        public var samples: [Double]
        public var shares: [Double]
        /// Per unit the sum of E[g^2] over its incoming weights; absent if the data have no labels.
        public var saliency: [Double]?
        /// Between saliency and the share of samples; absent where one of them is constant.
        public var pearson: Double?
        public var spearman: Double?

        public init(
            name: String, dead: Int, nearlyDead: Int, samples: [Double], shares: [Double],
            saliency: [Double]?, pearson: Double?, spearman: Double?
        ) {
            self.name = name
            self.dead = dead
            self.nearlyDead = nearlyDead
            self.samples = samples
            self.shares = shares
            self.saliency = saliency
            self.pearson = pearson
            self.spearman = spearman
        }
    }
}
