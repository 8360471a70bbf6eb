extension RunRecord {
    /// Which units of a network stand for each other, and what random removal does to them: the result of `redundancy`.
    public struct Redundancy: Codable, Sendable, Equatable {
        /// The correlation from which units are taken to do the same.
        public var tau: Double
        /// The removal rate that the predictions are for.
        public var q: Double
        /// Units of all watched layers.
        public var units: Int
        /// That no group fails if each unit goes with probability `q`, and if exactly a share `q` of all units goes.
        public var survivalProbability: Double
        public var exactSurvivalProbability: Double
        public var expectedFailures: Double
        /// The largest rate at which no group fails with probability `reliability`.
        public var reliability: Double
        public var largestQ: Double
        public var layers: [RedundantLayer]
        public var groups: [FunctionalGroup]
        /// By ascending rate; empty if nothing was measured.
        public var measured: [RemovalPoint]
        /// What merging did; absent if it was not asked for.
        public var merging: Merging?

        public init(
            tau: Double, q: Double, units: Int, survivalProbability: Double, exactSurvivalProbability: Double,
            expectedFailures: Double, reliability: Double, largestQ: Double, layers: [RedundantLayer],
            groups: [FunctionalGroup], measured: [RemovalPoint]
        ) {
            self.tau = tau
            self.q = q
            self.units = units
            self.survivalProbability = survivalProbability
            self.exactSurvivalProbability = exactSurvivalProbability
            self.expectedFailures = expectedFailures
            self.reliability = reliability
            self.largestQ = largestQ
            self.layers = layers
            self.groups = groups
            self.measured = measured
        }
    }

    /// One layer's functional groups, summed up.
    public struct RedundantLayer: Codable, Sendable, Equatable {
        public var name: String
        public var units: Int
        /// Groups that vary with the data.
        public var groups: Int
        /// Units of the largest of them.
        public var largest: Int
        /// Units that stand alone.
        public var single: Int
        /// Units that never change.
        public var constant: Int
        public var survivalProbability: Double
        public var expectedFailures: Double

        public init(
            name: String, units: Int, groups: Int, largest: Int, single: Int, constant: Int,
            survivalProbability: Double, expectedFailures: Double
        ) {
            self.name = name
            self.units = units
            self.groups = groups
            self.largest = largest
            self.single = single
            self.constant = constant
            self.survivalProbability = survivalProbability
            self.expectedFailures = expectedFailures
        }
    }

    /// Units that stand for each other.
    public struct FunctionalGroup: Codable, Sendable, Equatable {
        public var layer: String
        public var units: [Int]
        /// q^m. A group of constant units loses nothing when it fails.
        public var failureProbability: Double
        public var isConstant: Bool

        public init(layer: String, units: [Int], failureProbability: Double, isConstant: Bool) {
            self.layer = layer
            self.units = units
            self.failureProbability = failureProbability
            self.isConstant = isConstant
        }
    }

    /// What removals at one rate did, beside what was predicted.
    public struct RemovalPoint: Codable, Sendable, Equatable {
        public var q: Double
        /// Shares of all groups that vary: predicted to be emptied, emptied, and functionally lost; means over trials.
        public var predicted: Double
        public var emptied: Double
        public var lost: Double
        /// The standard error of `lost`; absent for a single trial.
        public var lostStandardError: Double?
        public var predictedSurvival: Double
        /// The share of trials in which no group was emptied, and in which none was lost.
        public var survivalEmptied: Double
        public var survivalLost: Double
        /// The mean over trials, and its standard deviation; absent for data without classes.
        public var accuracy: Double?
        public var accuracyDeviation: Double?
        public var trials: [RemovalOutcome]

        public init(
            q: Double, predicted: Double, emptied: Double, lost: Double, lostStandardError: Double?,
            predictedSurvival: Double, survivalEmptied: Double, survivalLost: Double, accuracy: Double?,
            accuracyDeviation: Double?, trials: [RemovalOutcome]
        ) {
            self.q = q
            self.predicted = predicted
            self.emptied = emptied
            self.lost = lost
            self.lostStandardError = lostStandardError
            self.predictedSurvival = predictedSurvival
            self.survivalEmptied = survivalEmptied
            self.survivalLost = survivalLost
            self.accuracy = accuracy
            self.accuracyDeviation = accuracyDeviation
            self.trials = trials
        }
    }

    /// One random removal.
    public struct RemovalOutcome: Codable, Sendable, Equatable {
        /// Of all units.
        public var removed: Double
        /// Of all groups that vary.
        public var lost: Double
        public var accuracy: Double?

        public init(removed: Double, lost: Double, accuracy: Double?) {
            self.removed = removed
            self.lost = lost
            self.accuracy = accuracy
        }
    }
}
