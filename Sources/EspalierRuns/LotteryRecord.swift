extension RunRecord {
    /// One network of a lottery-ticket experiment: the result of one of its trials.
    public struct Ticket: Codable, Sendable, Equatable {
        /// What its mask and its weights are: "winning", "reinit", "randomMask", ...
        public var method: String
        public var seed: UInt64
        /// How often was pruned; 0 for the dense network.
        public var round: Int
        /// The share of the prunable weights that is left.
        public var remaining: Double
        /// On the test data after the last step.
        public var accuracy: Double
        /// On the validation data after the last step.
        public var validation: Double
        /// The step with the least loss on the validation data.
        public var earlyStep: Int
        /// On the test data after ``earlyStep``.
        public var earlyAccuracy: Double
        /// The last step, counted from the beginning of the dense network's training.
        public var steps: Int
        public var layers: [Layer]

        /// How much of a weight is left.
        public struct Layer: Codable, Sendable, Equatable {
            public var name: String
            public var kept: Int
            public var size: Int

            public init(name: String, kept: Int, size: Int) {
                self.name = name
                self.kept = kept
                self.size = size
            }
        }

        public init(
            method: String, seed: UInt64, round: Int, remaining: Double, accuracy: Double, validation: Double,
            earlyStep: Int, earlyAccuracy: Double, steps: Int, layers: [Layer]
        ) {
            self.method = method
            self.seed = seed
            self.round = round
            self.remaining = remaining
            self.accuracy = accuracy
            self.validation = validation
            self.earlyStep = earlyStep
            self.earlyAccuracy = earlyAccuracy
            self.steps = steps
            self.layers = layers
        }
    }

    /// Networks with equally much left, by method: a result of `lottery`.
    ///
    /// In JSON the methods' results are keys beside ``round`` and ``remaining``.
    public struct LotteryRound: Codable, Sendable, Equatable {
        public var round: Int
        /// The share of the prunable weights that is left, averaged over seeds.
        public var remaining: Double
        /// By method.
        public var results: [String: TicketResult]

        public init(round: Int, remaining: Double, results: [String: TicketResult]) {
            self.round = round
            self.remaining = remaining
            self.results = results
        }

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }

            static let round = Key(stringValue: "round")
            static let remaining = Key(stringValue: "remaining")
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            round = try container.decode(Int.self, forKey: .round)
            remaining = try container.decode(Double.self, forKey: .remaining)
            results = [:]
            for key in container.allKeys where key.stringValue != "round" && key.stringValue != "remaining" {
                results[key.stringValue] = try container.decode(TicketResult.self, forKey: key)
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(round, forKey: .round)
            try container.encode(remaining, forKey: .remaining)
            for (method, result) in results {
                try container.encode(result, forKey: Key(stringValue: method))
            }
        }
    }

    /// A mean over seeds and its sample's standard deviation, absent with one seed.
    public struct OverSeeds: Codable, Sendable, Equatable {
        public var mean: Double
        public var std: Double?

        public init(mean: Double, std: Double? = nil) {
            self.mean = mean
            self.std = std
        }
    }

    /// What became of the networks of one method with equally much left.
    public struct TicketResult: Codable, Sendable, Equatable {
        /// Of the accuracy on the test data after the last step.
        public var mean: Double
        /// The sample's standard deviation; absent with one seed.
        public var std: Double?
        public var runs: Int
        /// The mean accuracy on the validation data after the last step.
        public var validation: Double
        /// The step with the least validation loss.
        public var earlyStep: OverSeeds
        /// The accuracy on the test data there.
        public var earlyAccuracy: OverSeeds
        /// The accuracy after the last step minus that of the dense network, paired by seed; absent for the dense network and with
        /// one seed.
        public var difference: Difference?
        /// ``earlyStep`` minus the dense network's, likewise.
        public var stepDifference: Difference?
        /// Of the hypothesis that it is worse than the dense network by the margin or more, Holm-corrected over rounds.
        public var pValue: Double?
        /// Whether that is rejected at 5 %.
        public var matches: Bool?

        public init(
            mean: Double, std: Double?, runs: Int, validation: Double, earlyStep: OverSeeds,
            earlyAccuracy: OverSeeds
        ) {
            self.mean = mean
            self.std = std
            self.runs = runs
            self.validation = validation
            self.earlyStep = earlyStep
            self.earlyAccuracy = earlyAccuracy
        }
    }

    /// What a lottery-ticket experiment says besides its rounds.
    public struct Lottery: Codable, Sendable, Equatable {
        /// The methods in the order asked for.
        public var methods: [String]
        /// How much worse than the dense network still matches it, as a share of the test data.
        public var margin: Double
        /// The least share of weights that matches the dense network, by method; none for methods that never do.
        public var smallestMatching: [String: Double]
        /// The share of each weight that is left, averaged over seeds, by round.
        public var densities: [Density]
        /// What tickets of different seeds have in common, by round.
        public var overlaps: [Overlap]
        /// The files of the winning tickets: masked weights as they were rewound to.
        public var tickets: [File]

        public init(
            methods: [String], margin: Double, smallestMatching: [String: Double], densities: [Density],
            overlaps: [Overlap], tickets: [File]
        ) {
            self.methods = methods
            self.margin = margin
            self.smallestMatching = smallestMatching
            self.densities = densities
            self.overlaps = overlaps
            self.tickets = tickets
        }

        /// The shares of one weight that are left, round by round.
        public struct Density: Codable, Sendable, Equatable {
            public var name: String
            public var size: Int
            public var remaining: [Double]

            public init(name: String, size: Int, remaining: [Double]) {
                self.name = name
                self.size = size
                self.remaining = remaining
            }
        }

        /// What the masks of one weight have in common in two seeds, averaged over pairs of seeds.
        public struct Overlap: Codable, Sendable, Equatable {
            public var round: Int
            public var name: String
            /// The share of kept elements that are kept in the other seed too.
            public var shared: Double
            /// What masks at random would share.
            public var chance: Double
            /// The standard deviation, of one pair, of what masks at random would share.
            public var deviation: Double
            /// The correlation, between two seeds, of how many connections each input keeps: it does not depend on the order of
            /// hidden units, which differs from seed to seed. Absent where all inputs keep equally many.
            public var inputCorrelation: Double?

            public init(
                round: Int, name: String, shared: Double, chance: Double, deviation: Double,
                inputCorrelation: Double?
            ) {
                self.round = round
                self.name = name
                self.shared = shared
                self.chance = chance
                self.deviation = deviation
                self.inputCorrelation = inputCorrelation
            }
        }

        public struct File: Codable, Sendable, Equatable {
            public var seed: UInt64
            public var round: Int
            public var path: String

            public init(seed: UInt64, round: Int, path: String) {
                self.seed = seed
                self.round = round
                self.path = path
            }
        }
    }
}
