extension RunRecord {
    /// How often randomly pruned networks trained, and the model P = a [1 - (1 - s^r)^m] fitted to it: a result of
    /// `theory ticket --fit` and `theory ticket-frequency`.
    public struct TicketFrequencies: Codable, Sendable, Equatable {
        /// By ascending share.
        public var points: [TicketPoint]
        public var fit: TicketFit

        public init(points: [TicketPoint], fit: TicketFit) {
            self.points = points
            self.fit = fit
        }
    }

    /// Networks of which each weight was kept with one probability.
    public struct TicketPoint: Codable, Sendable, Equatable {
        /// s: the probability.
        public var share: Double
        public var successes: Int
        public var trials: Int
        /// The exact binomial interval of the probability of success.
        public var lower: Double
        public var upper: Double
        /// What the fitted model says of that probability.
        public var fitted: Double
        /// The deviance residual, positive where success was more frequent than fitted; about standard normal if the model
        /// holds.
        public var residual: Double

        package var frequency: Double { Double(successes) / Double(trials) }

        public init(
            share: Double, successes: Int, trials: Int, lower: Double, upper: Double, fitted: Double,
            residual: Double
        ) {
            self.share = share
            self.successes = successes
            self.trials = trials
            self.lower = lower
            self.upper = upper
            self.fitted = fitted
            self.residual = residual
        }
    }

    /// A model fitted by maximum likelihood, with intervals by profile likelihood.
    public struct TicketFit: Codable, Sendable, Equatable {
        /// a: that training succeeds if a ticket was kept.
        public var trainability: TicketEstimate
        /// r: the weights of a candidate.
        public var size: TicketEstimate
        /// m: the candidates.
        public var count: TicketEstimate
        /// Of all intervals, those of the frequencies included.
        public var confidence: Double
        public var deviance: Double
        /// At most 0 if no data could speak against the model.
        public var degreesOfFreedom: Int
        /// The probability of as large a deviance by the chi-squared distribution; absent without degrees of freedom.
        public var chiSquaredProbability: Double?
        /// The same from data drawn from the fitted model, by which ``isRejected`` is decided.
        public var bootstrapProbability: Double?
        /// Whether ``bootstrapProbability`` is below 0.05, and the model rejected; absent without degrees of freedom.
        public var isRejected: Bool?

        /// The probability of a deviance as large below which the model is rejected.
        package static let level = 0.05

        public init(
            trainability: TicketEstimate, size: TicketEstimate, count: TicketEstimate, confidence: Double,
            deviance: Double, degreesOfFreedom: Int, chiSquaredProbability: Double?,
            bootstrapProbability: Double?, isRejected: Bool?
        ) {
            self.trainability = trainability
            self.size = size
            self.count = count
            self.confidence = confidence
            self.deviance = deviance
            self.degreesOfFreedom = degreesOfFreedom
            self.chiSquaredProbability = chiSquaredProbability
            self.bootstrapProbability = bootstrapProbability
            self.isRejected = isRejected
        }
    }

    /// A fitted parameter with its interval.
    public struct TicketEstimate: Codable, Sendable, Equatable {
        /// Absent where the data determine nothing.
        public var value: Double?
        /// Absent where arbitrarily small values do as well.
        public var lower: Double?
        /// Absent where arbitrarily large values do as well.
        public var upper: Double?

        public init(value: Double?, lower: Double?, upper: Double?) {
            self.value = value
            self.lower = lower
            self.upper = upper
        }
    }
}
