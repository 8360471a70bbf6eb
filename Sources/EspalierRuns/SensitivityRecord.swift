extension RunRecord {
    /// What the network loses when one part of it is pruned: the result of `sensitivity`.
    public struct Sensitivity: Codable, Sendable, Equatable {
        /// `element`, `channel` or `block:RxC`.
        public var granularity: String
        /// By what each part was pruned.
        public var criterion: String
        /// The part of the data that accuracy and loss are from.
        public var split: String
        /// Whether batch norm's statistics were taken anew for every point, the first included.
        public var isRecalibrated: Bool
        /// Samples that every point was trained on before, the first included; absent for none.
        public var repairSamples: Int?
        public var layers: [SensitiveLayer]
        /// Passes over the samples, and the seconds that they took with recalibration.
        public var evaluations: Int
        public var seconds: Double
        public var allocation: SuggestedAllocation?

        public init(
            granularity: String, criterion: String, split: String, isRecalibrated: Bool,
            repairSamples: Int? = nil, layers: [SensitiveLayer], evaluations: Int, seconds: Double,
            allocation: SuggestedAllocation? = nil
        ) {
            self.granularity = granularity
            self.criterion = criterion
            self.split = split
            self.isRecalibrated = isRecalibrated
            self.repairSamples = repairSamples
            self.layers = layers
            self.evaluations = evaluations
            self.seconds = seconds
            self.allocation = allocation
        }
    }

    /// One weight, or one group of channels that go together.
    public struct SensitiveLayer: Codable, Sendable, Equatable {
        /// The layer's name, or the group's.
        public var name: String
        /// Weights or channels.
        public var size: Int
        /// The layers whose weights or output channels these are.
        public var members: [String]
        /// By ascending sparsity, from 0 on.
        public var points: [SensitivityPoint]

        public init(name: String, size: Int, members: [String], points: [SensitivityPoint]) {
            self.name = name
            self.size = size
            self.members = members
            self.points = points
        }
    }

    /// The network with a share of one part removed and the others whole.
    public struct SensitivityPoint: Codable, Sendable, Equatable {
        /// The share of the part that was asked for, and the share removed: whole units, and some are kept in any case.
        public var sparsity: Double
        public var removed: Double
        /// Absent without classes.
        public var accuracy: Double?
        public var loss: Double
        /// The share of the whole network's multiply-accumulates that this saves; of zeros, what could be saved.
        public var macsSaved: Double

        public init(sparsity: Double, removed: Double, accuracy: Double?, loss: Double, macsSaved: Double) {
            self.sparsity = sparsity
            self.removed = removed
            self.accuracy = accuracy
            self.loss = loss
            self.macsSaved = macsSaved
        }
    }

    /// Shares for the layers that meet a target with the least predicted damage.
    public struct SuggestedAllocation: Codable, Sendable, Equatable {
        public var targets: [AllocationTarget]
        public var layers: [AllocatedLayer]

        public init(targets: [AllocationTarget], layers: [AllocatedLayer]) {
            self.targets = targets
            self.layers = layers
        }
    }

    /// `sparsity`, `max-macs` or `max-parameters`, as asked.
    public struct AllocationTarget: Codable, Sendable, Equatable {
        public var kind: String
        public var value: Double

        public init(kind: String, value: Double) {
            self.kind = kind
            self.value = value
        }
    }

    public struct AllocatedLayer: Codable, Sendable, Equatable {
        public var name: String
        /// The share to remove, and the number that stays.
        public var sparsity: Double
        public var kept: Int

        public init(name: String, sparsity: Double, kept: Int) {
            self.name = name
            self.sparsity = sparsity
            self.kept = kept
        }
    }
}
