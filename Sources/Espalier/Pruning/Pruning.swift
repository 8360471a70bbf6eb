public import EspalierGraphs
import EspalierKernels
import EspalierPruning
public import EspalierRuns
import EspalierTraining

/// Prunes a network and repairs what is left by training: what `espalier prune` does, in a program.
///
/// ```swift
/// let dense = try ONNXModel.load(from: "dense.onnx")
/// var pruning = Pruning(.channel, to: [.multiplyAccumulates(0.5)])
/// pruning.repair?.epochs = 2
/// let pruned = try pruning.run(dense, on: try Pruning.Samples(.digits, for: dense))
/// try pruned.write(to: "slim.onnx")
/// ```
///
/// The same request on the same data with the same seed and number of threads gives the same network.
public struct Pruning: Sendable {
    /// What is removed at a time.
    public enum Granularity: Sendable, Hashable {
        /// Single weights, which become zero.
        case element
        /// Of every `of` consecutive weights along a layer's inputs `kept` stay (N:M, Mishra et al. 2021). That says how much goes, too.
        case inputGroups(kept: Int, of: Int)
        /// Blocks of so many outputs by so many inputs, which become zero.
        case blocks(outputs: Int, inputs: Int)
        /// Channels and neurons with all that depends on them, which are cut out.
        case channel
    }

    /// How far to prune.
    public enum Target: Sendable, Hashable {
        /// The share of the parameters that may go which goes, from 0 to below 1.
        case sparsity(Double)
        /// The share of the network's multiply-accumulates that stays at most, above 0 and up to 1.
        case multiplyAccumulates(Double)
        /// The share of its parameters that stays at most.
        case parameters(Double)
    }

    /// When weights go.
    public enum Schedule: Sendable, Hashable {
        /// All at once, before the repair.
        case oneShot
        /// In five rounds during the first half of the repair.
        case iterative
        /// Ever more slowly during the first half of the repair (Zhu & Gupta 2017).
        case cubic
    }

    /// How what is left is trained: by AdamW, with a rate that falls along a cosine.
    public struct Repair: Sendable {
        /// 0 for none.
        public var epochs = 4
        /// Samples in a step.
        public var batchSize = 64
        /// The highest.
        public var learningRate = 0.002
        /// When weights go.
        public var schedule = Schedule.oneShot
        /// The weight of the given network's outputs in the loss, 0 to 1; labels have the rest (Hinton et al. 2015). Samples without labels
        /// have the whole of it, targets that are numbers nothing.
        public var distillationWeight = 0.5
        /// What outputs are divided by before they are compared.
        public var distillationTemperature = 2.0

        public init() {}
    }

    /// Something to tell of while it runs.
    public enum Event: Sendable {
        /// A part begins: what it does, in a few words.
        case stage(String)
        /// So many of the repair's steps are done.
        case step(done: Int, total: Int)
        /// One more of the repair's epochs is done.
        case epoch(RunRecord.Epoch)
    }

    /// What is removed at a time.
    public var granularity: Granularity
    /// All of them are met. ``Granularity/inputGroups(kept:of:)`` needs none.
    public var targets: [Target]
    /// By what parts are ranked, one of ``criteria``.
    public var criterion = "magnitude"
    /// How layers share what goes, one of ``scopes``. N:M groups take the same share of each whatever is given.
    public var scope = "global"
    /// Layers to leave alone, by name of the node or the weight; `*` stands for anything.
    public var keep: [String] = []
    /// The share of each layer that stays at least; nil for a tenth of the channels, and nothing of single weights.
    public var minimumKept: Double?
    /// Whether the first and the last layer are pruned like the others; nil: only where channels are not cut.
    public var prunesFirstAndLast: Bool?
    /// Channels are left in multiples of this.
    public var channelMultiple = 1
    /// Samples that criteria which measure something measure it on.
    public var evidenceSamples = 2000
    /// nil to leave the network as the cut leaves it.
    public var repair: Repair? = Repair()
    /// Of everything that is random: the order of samples, and criteria that draw.
    public var seed: UInt64 = 0
    /// To compute on.
    public var threads = 1

    public init(_ granularity: Granularity, to targets: [Target]) {
        self.granularity = granularity
        self.targets = targets
    }

    /// The criteria by name.
    public static var criteria: [String] { Criteria.all.map { $0.information.id } }
    /// The scopes by name.
    public static var scopes: [String] { Scopes.all.map { $0.information.id } }

    /// Prunes `graph`, and repairs it if there are samples.
    ///
    /// Choices are made on training and validation samples; test samples are read once before and once after. Where channels are cut, the
    /// cut network must agree with the masked one.
    ///
    /// - Parameters:
    ///   - samples: needed for the repair and for criteria that measure; without them nothing is repaired.
    ///   - observer: told of what goes on, on a thread of its own; what it throws ends the work.
    ///   - isCancelled: asked before every step of the repair.
    /// - Throws: ``PruningFailure``, and what `observer` throws.
    public func run(
        _ graph: Graph, on samples: Samples? = nil, observer: (Event) throws -> Void = { _ in },
        isCancelled: () -> Bool = { false }
    ) throws -> PrunedNetwork {
        try PruningFailure.telling {
            var pipeline = PrunePipeline(
                request: try request(), repair: samples.flatMap { repair?.pipelineRepair($0, self) },
                lane: try Lane(threads: threads))
            pipeline.evidenceSamples = evidenceSamples
            pipeline.seed = seed
            let outcome = try pipeline.run(
                graph, data: samples.map { .init(fit: $0.fit, validation: $0.validation, test: $0.test) },
                observer: { try observer(Event($0)) }, isCancelled: isCancelled)
            guard !outcome.isInterrupted else {
                throw PruningFailure(.cancelled, "pruning was cancelled during the repair")
            }
            return PrunedNetwork(outcome, samples: samples, seed: seed)
        }
    }

    private func request() throws -> PruningRequest {
        func require(_ isRight: Bool, _ problem: String) throws {
            guard isRight else { throw PruningFailure(.invalidRequest, problem) }
        }
        guard let granularity = EspalierPruning.Granularity(rawValue: granularity.word) else {
            throw PruningFailure(
                .invalidRequest,
                "there is no granularity '\(granularity.word)': its numbers are 1 to 64, and of N:M the first is the smaller"
            )
        }
        try require(evidenceSamples > 0, "evidence needs samples")
        if let repair {
            try require(
                repair.epochs >= 0 && repair.batchSize > 0, "a repair needs epochs and samples in a step")
            try require(
                repair.learningRate > 0 && repair.learningRate.isFinite, "the learning rate must be positive")
            try require(
                (0...1).contains(repair.distillationWeight), "the weight of distillation is from 0 to 1")
            try require(
                repair.distillationTemperature > 0 && repair.distillationTemperature.isFinite,
                "the temperature of distillation must be positive")
        }
        return PruningRequest(
            granularity, targets: targets.map(\.pruningTarget),
            criterion: try Criteria.criterion(criterion, seed: seed), scope: try Scopes.scope(scope),
            minimumKept: minimumKept.map { MinimumKept(count: 1, fraction: $0) },
            keep: keep.map { NamePattern($0) }, prunesFirstAndLast: prunesFirstAndLast,
            channelMultiple: channelMultiple)
    }
}

extension Pruning.Granularity {
    fileprivate var word: String {
        switch self {
        case .element: "element"
        case .inputGroups(let kept, let size): "\(kept):\(size)"
        case .blocks(let outputs, let inputs): "block:\(outputs)x\(inputs)"
        case .channel: "channel"
        }
    }
}

extension Pruning.Target {
    fileprivate var pruningTarget: PruningTarget {
        switch self {
        case .sparsity(let share): .sparsity(share)
        case .multiplyAccumulates(let share): .maxMultiplyAccumulates(share)
        case .parameters(let share): .maxParameters(share)
        }
    }
}

extension Pruning.Repair {
    /// nil if there is nothing to do.
    fileprivate func pipelineRepair(
        _ samples: Pruning.Samples, _ pruning: Pruning
    ) -> PrunePipeline.Repair? {
        guard epochs > 0 else { return nil }
        let loss: any Loss =
            if case .targets = samples.fit.labels { MeanSquaredError() } else { CrossEntropy() }
        let kind: PrunePipeline.ScheduleKind =
            switch schedule {
            case .oneShot: .oneShot
            case .iterative: .iterative
            case .cubic: .cubic
            }
        return PrunePipeline.Repair(
            recipe: TrainingRecipe(
                epochs: epochs, batchSize: batchSize, optimizer: AdamW(weightDecay: 0),
                schedule: CosineAnnealing(peak: learningRate), loss: loss, seed: pruning.seed,
                threads: pruning.threads),
            schedule: kind, distillationWeight: distillationWeight,
            distillationTemperature: distillationTemperature)
    }
}

extension Pruning.Event {
    fileprivate init(_ event: PrunePipeline.Event) {
        switch event {
        case .stage(let name): self = .stage(name)
        case .training(.step(let done, let total, _, _)): self = .step(done: done, total: total)
        case .training(.epoch(let summary)): self = .epoch(RunRecord.Epoch(summary))
        }
    }
}
