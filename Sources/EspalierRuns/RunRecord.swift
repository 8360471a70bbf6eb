/// What one command did, with everything needed to read its result and to repeat it: the JSON document that
/// `--json` prints, the unit of the run store, and the input of reports.
///
/// Fractions are 0...1, times are milliseconds unless a name says otherwise. Fields that a command has no value
/// for are left out.
public struct RunRecord: Codable, Sendable, Equatable {
    /// The version of this structure; raised when a key changes its meaning.
    public static let currentSchemaVersion = 1

    public var schemaVersion = Self.currentSchemaVersion
    /// The subcommand: `train`, `prune`, ...
    public var command: String
    /// The arguments as typed, for repeating the run.
    public var arguments: [String]
    public var espalierVersion: String
    /// When it started, in ISO 8601.
    public var date: String
    public var seed: UInt64?
    public var threads: Int?
    public var machine: Machine?
    public var model: Model?
    public var data: DataDescription?

    // Results of `train`, `finetune` and `eval`.
    public var samples: Int?
    public var accuracy: Double?
    public var loss: Double?
    public var epochs: [Epoch]?

    // Results of `prune`.
    public var request: [Setting]?
    public var requestedSparsity: Double?
    /// The share removed of the prunable parameters if a share of these was asked for, else of all.
    public var achievedSparsity: Double?
    /// The share removed of the prunable parameters, which nothing excludes or freezes.
    public var prunableSparsity: Double?
    /// The share removed of all parameters.
    public var overallSparsity: Double?
    public var before: Measures?
    /// After pruning and before any repair.
    public var pruned: Measures?
    /// Where a latency was the target.
    public var latency: Latency?
    public var after: Measures?
    public var layers: [Layer]?
    public var refusals: [Refusal]?
    /// Results of `score`.
    public var scores: [Score]?
    public var firing: [Firing]?
    /// Results of `redundancy`.
    public var redundancy: Redundancy?
    /// Results of `compare`, the first criterion's first.
    public var curves: [Curve]?
    /// Results of `sensitivity`.
    public var sensitivity: Sensitivity?
    /// Results of `pareto`: what no other network is better than, by ascending cost.
    public var front: [FrontPoint]?
    /// The other networks of `pareto`.
    public var dominated: [FrontPoint]?
    /// The volume between the front and the reference of ``trade``.
    public var hypervolume: Double?
    /// The network of the front that was chosen.
    public var chosen: FrontPoint?
    /// What the front is of.
    public var trade: Front?
    /// The result of one trial of `lottery`.
    public var ticket: Ticket?
    /// Results of `lottery`, from the dense network on.
    public var rounds: [LotteryRound]?
    public var lottery: Lottery?
    /// The result of one trial of `robustness`.
    public var robustNetwork: RobustNetwork?
    /// Results of `robustness`.
    public var robustness: Robustness?
    /// Results of `theory ticket-frequency`.
    public var ticketFrequencies: TicketFrequencies?
    /// Results of `bench`.
    public var models: [BenchmarkedModel]?
    public var ceilings: Ceilings?
    public var verification: Verification?
    /// Results of an experiment that have no key of their own, by name.
    public var figures: [String: Double]?
    /// Plain remarks a reader should see: what was approximated, skipped or is unusual.
    public var notes: [String]?
    /// Files written.
    public var outputs: [String]?
    public var elapsedSeconds: Double?

    public init(command: String, arguments: [String], espalierVersion: String, date: String) {
        self.command = command
        self.arguments = arguments
        self.espalierVersion = espalierVersion
        self.date = date
    }
}

extension RunRecord {
    /// Milliseconds of one inference: the target, what the plan should take, and what both networks take.
    ///
    /// Machines change their pace: all but a target in milliseconds is at that at which ``beforeMs`` was measured.
    public struct Latency: Codable, Sendable, Equatable {
        public var targetMs: Double
        /// The sum of what the cost model predicts of the plan's layers, from what the dense ones took.
        public var modelMs: Double?
        /// What the network took when it was planned; ``modelMs`` where that was not measured.
        public var predictedMs: Double
        public var beforeMs: Double
        /// Absent where nothing was pruned.
        public var achievedMs: Double?

        public init(
            targetMs: Double, modelMs: Double? = nil, predictedMs: Double, beforeMs: Double,
            achievedMs: Double? = nil
        ) {
            self.targetMs = targetMs
            self.modelMs = modelMs
            self.predictedMs = predictedMs
            self.beforeMs = beforeMs
            self.achievedMs = achievedMs
        }
    }

    public struct Machine: Codable, Sendable, Equatable {
        public var processor: String
        public var cores: Int
        public var instructionSet: String
        public var operatingSystem: String

        public init(processor: String, cores: Int, instructionSet: String, operatingSystem: String) {
            self.processor = processor
            self.cores = cores
            self.instructionSet = instructionSet
            self.operatingSystem = operatingSystem
        }
    }

    public struct Model: Codable, Sendable, Equatable {
        public var name: String
        public var path: String?
        public var fingerprint: String?

        public init(name: String, path: String? = nil, fingerprint: String? = nil) {
            self.name = name
            self.path = path
            self.fingerprint = fingerprint
        }
    }

    public struct DataDescription: Codable, Sendable, Equatable {
        public var name: String
        public var fingerprint: String
        public var trainingSamples: Int?
        public var validationSamples: Int?
        public var testSamples: Int?

        public init(
            name: String, fingerprint: String, trainingSamples: Int? = nil, validationSamples: Int? = nil,
            testSamples: Int? = nil
        ) {
            self.name = name
            self.fingerprint = fingerprint
            self.trainingSamples = trainingSamples
            self.validationSamples = validationSamples
            self.testSamples = testSamples
        }
    }

    /// One epoch of training.
    public struct Epoch: Codable, Sendable, Equatable {
        public var epoch: Int
        public var trainingLoss: Double
        public var trainingAccuracy: Double?
        public var validationLoss: Double?
        public var validationAccuracy: Double?
        public var learningRate: Double
        public var seconds: Double
        /// The share of prunable weights that are zero at the end of the epoch, where pruning is under way.
        public var sparsity: Double?

        public init(
            epoch: Int, trainingLoss: Double, trainingAccuracy: Double? = nil, validationLoss: Double? = nil,
            validationAccuracy: Double? = nil, learningRate: Double, seconds: Double, sparsity: Double? = nil
        ) {
            self.epoch = epoch
            self.trainingLoss = trainingLoss
            self.trainingAccuracy = trainingAccuracy
            self.validationLoss = validationLoss
            self.validationAccuracy = validationAccuracy
            self.learningRate = learningRate
            self.seconds = seconds
            self.sparsity = sparsity
        }
    }

    /// One choice the user made (or a default that mattered), as text.
    public struct Setting: Codable, Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A network's size, cost and quality.
    public struct Measures: Codable, Sendable, Equatable {
        public var parameters: Int
        public var nonzero: Int
        /// Multiply-accumulates per sample with all weights, zero or not.
        public var macs: Int
        /// Those with weights that are not zero: what a perfect sparse runtime would do.
        public var effectiveMacs: Int
        public var accuracy: Double?
        public var loss: Double?
        /// The split the accuracy was measured on.
        public var split: String?
        public var fileBytes: Int?

        public init(
            parameters: Int, nonzero: Int, macs: Int, effectiveMacs: Int, accuracy: Double? = nil,
            loss: Double? = nil,
            split: String? = nil, fileBytes: Int? = nil
        ) {
            self.parameters = parameters
            self.nonzero = nonzero
            self.macs = macs
            self.effectiveMacs = effectiveMacs
            self.accuracy = accuracy
            self.loss = loss
            self.split = split
            self.fileBytes = fileBytes
        }
    }

    /// The receipt's line for one layer.
    public struct Layer: Codable, Sendable, Equatable {
        public var name: String
        public var op: String
        /// The share to be removed, and the share removed.
        public var requested: Double?
        public var achieved: Double
        /// Why less was removed than asked for, if so.
        public var refused: String?
        public var parametersBefore: Int
        /// Nonzero parameters afterwards.
        public var parametersAfter: Int
        public var macsBefore: Int
        public var macsAfter: Int

        public init(
            name: String, op: String, requested: Double?, achieved: Double, refused: String?,
            parametersBefore: Int,
            parametersAfter: Int, macsBefore: Int, macsAfter: Int
        ) {
            self.name = name
            self.op = op
            self.requested = requested
            self.achieved = achieved
            self.refused = refused
            self.parametersBefore = parametersBefore
            self.parametersAfter = parametersAfter
            self.macsBefore = macsBefore
            self.macsAfter = macsAfter
        }

        /// Other commands list layers too, of which only the name is kept here.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            op = try container.decodeIfPresent(String.self, forKey: .op) ?? ""
            requested = try container.decodeIfPresent(Double.self, forKey: .requested)
            achieved = try container.decodeIfPresent(Double.self, forKey: .achieved) ?? 0
            refused = try container.decodeIfPresent(String.self, forKey: .refused)
            parametersBefore = try container.decodeIfPresent(Int.self, forKey: .parametersBefore) ?? 0
            parametersAfter = try container.decodeIfPresent(Int.self, forKey: .parametersAfter) ?? 0
            macsBefore = try container.decodeIfPresent(Int.self, forKey: .macsBefore) ?? 0
            macsAfter = try container.decodeIfPresent(Int.self, forKey: .macsAfter) ?? 0
        }
    }

    /// Something that could not be pruned at all.
    public struct Refusal: Codable, Sendable, Equatable {
        public var name: String
        public var reason: String

        public init(name: String, reason: String) {
            self.name = name
            self.reason = reason
        }
    }

    /// How far what was written computes what it says.
    public struct Verification: Codable, Sendable, Equatable {
        /// The written file, read back, against the network in memory.
        public var maxAbsoluteDifference: Double
        /// Physical surgery against masking, where channels were cut.
        public var surgeryMaxAbsoluteDifference: Double?
        /// The largest magnitude among the compared outputs.
        public var outputRange: Double
        public var samples: Int

        public init(
            maxAbsoluteDifference: Double, surgeryMaxAbsoluteDifference: Double? = nil, outputRange: Double,
            samples: Int
        ) {
            self.maxAbsoluteDifference = maxAbsoluteDifference
            self.surgeryMaxAbsoluteDifference = surgeryMaxAbsoluteDifference
            self.outputRange = outputRange
            self.samples = samples
        }
    }
}
