package import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierOperators
import EspalierTensors

/// One training of one network: parameters, optimiser, masks and how far it has come.
///
/// ```swift
/// let run = try TrainingRun(graph, training: fit, validation: validation, recipe: TrainingRecipe(epochs: 8))
/// let outcome = try run.train()
/// let trained = try run.trainedGraph()
/// ```
/// It computes on a lane of its own; hooks and observers are called there. Everything that happens follows from the recipe, the data and the initial parameters, so
/// that a run resumed from a checkpoint goes on bit for bit.
package final class TrainingRun {
    package let graph: Graph
    package let recipe: TrainingRecipe
    package let training: Dataset
    package let validation: Dataset?
    /// Those given, then one for each of the recipe's regularizations.
    package let hooks: [any StepHook]
    let givenHookCount: Int

    /// The parameters and their gradients.
    package let store: ParameterStore
    package let updater: ParameterUpdater
    /// Set by ``setMasks(_:)``.
    package private(set) var masks = MaskSet()
    package internal(set) var history: [EpochSummary] = []
    /// The samples of the step under way, for hooks.
    package internal(set) var batchUnderWay: Batch?

    /// Where it computes.
    package let lane: Lane

    package let batcher: Batcher
    let teacher: TeacherFeed?
    /// The value that holds the predictions.
    package let output: ValueID
    var position = TrainingPosition()
    var best: BestParameters?
    /// Tells the network that training began with from others.
    private(set) lazy var startingFingerprint = String(graph.fingerprint, radix: 16)
    private let binding: InputBinding
    /// Whether steps leave out masked weights.
    let leavesOutMasked: Bool
    private var sessions: [Int: TrainingSession] = [:]
    /// Memory for the labels of a step.
    var classesUnderWay: [Int32] = []

    /// - Parameters:
    ///   - validation: evaluated after every epoch; without it the last epoch's network is the result.
    ///   - teacher: the network that a ``Distillation`` loss learns from.
    ///   - output: the value that holds the predictions (logits); nil for
    ///     ``EspalierGraphs/Graph/lossOutput(for:batchSize:)``; likewise the teacher's.
    ///   - masks: parameters that are pruned already and stay so.
    ///   - leavesOutMasked: whether masked weights are left out of products, where that is faster: their gradients are then zero, so
    ///     not for hooks that look at them.
    ///   - lane: with as many threads as the recipe says; nil makes one.
    /// - Throws: ``TrainingError/mismatch(_:)`` if network, data and recipe do not fit; ``ExecutionError`` if a node
    ///   has no gradient; ``DataError``.
    package init(
        _ graph: Graph, training: Dataset, validation: Dataset? = nil, recipe: TrainingRecipe,
        teacher: Teacher? = nil, output: ValueID? = nil, masks: MaskSet = MaskSet(),
        leavesOutMasked: Bool = false, hooks: [any StepHook] = [], lane: Lane? = nil
    ) throws {
        guard recipe.epochs >= 0, recipe.batchSize > 0 else {
            throw TrainingError.mismatch("epochs must not be negative, and a batch needs a sample")
        }
        self.graph = graph
        self.recipe = recipe
        self.training = training
        self.validation = validation
        self.hooks = hooks + recipe.regularizations.map { $0.makeHook() }
        givenHookCount = hooks.count
        self.leavesOutMasked = leavesOutMasked
        let batchSize = min(recipe.batchSize, training.sampleCount)
        self.output = try output ?? graph.lossOutput(for: training, batchSize: batchSize)
        let lane = try lane ?? Lane(threads: recipe.threads)
        self.lane = lane
        batcher = try Batcher(
            training, batchSize: batchSize, seed: recipe.seed, dropsPartialBatch: recipe.dropsPartialBatch,
            augmentation: recipe.augmentation)
        binding = try InputBinding(graph, training)
        self.teacher = try teacher.map { [batcher] in try TeacherFeed($0, batcher: batcher, lane: lane) }
        let resolved = try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: batchSize))
        store = ParameterStore(resolved)
        updater = ParameterUpdater(
            optimizer: recipe.optimizer, count: store.extent,
            ranges: store.trainable.map { entry in
                let decays = entry.shape.rank > 1 || recipe.decaysVectors
                return ParameterRange(entry.range, weightDecayMultiplier: decays ? 1 : 0)
            })
        try setMasks(masks)
        // Problems with the network show now and not after the first hook has run.
        let session = try session(batchSize: batchSize)
        try check(columns: session.outputs[0].count / batchSize)
    }

    private func check(columns: Int) throws(TrainingError) {
        for dataset in [training, validation].compactMap({ $0 }) {
            guard let classes = dataset.classCount, classes > columns else { continue }
            throw .mismatch(
                "\(dataset.name) has \(classes) classes, but the network has only \(columns) outputs")
        }
    }
}

/// How far a run has come.
struct TrainingPosition: Codable, Hashable {
    /// The epoch under way, counted from 0.
    var epoch = 0
    /// Steps done in it.
    var step = 0
    /// Whether hooks were told that training begins.
    var hasBegun = false
    var progress = EpochProgress()
}

/// The parameters after the best epoch so far.
struct BestParameters {
    var epoch: Int
    var loss: Double
    var accuracy: Double?
    /// All of the store's values.
    var values: [Float]

    /// Whether a result is better than this: more accurate, or as accurate with less loss; any finite loss is better than none.
    func isBeaten(by value: LossValue) -> Bool {
        guard loss.isFinite == value.mean.isFinite else { return value.mean.isFinite }
        if let accuracy, let other = value.accuracy, accuracy != other { return other > accuracy }
        return value.mean < loss
    }
}

// MARK: - State

extension TrainingRun {
    package var stepsPerEpoch: Int { batcher.batchCount }
    package var totalSteps: Int { recipe.epochs * stepsPerEpoch }
    /// Steps done since the beginning of training.
    package var stepsDone: Int { position.epoch * stepsPerEpoch + position.step }
    /// The epoch under way, counted from 0.
    package var epoch: Int { position.epoch }
    /// The epoch with the best validation result, counted from 0; nil before the first or without validation.
    package var bestEpoch: Int? { best?.epoch }

    /// Replaces all masks: pruned weights become zero now and stay so.
    ///
    /// - Throws: ``TrainingError/mismatch(_:)`` if a mask is not for a parameter of this network and of its shape.
    package func setMasks(_ masks: MaskSet) throws(TrainingError) {
        let entries = Dictionary(uniqueKeysWithValues: store.entries.map { ($0.value, $0) })
        for (id, mask) in masks.masks.sorted(by: { $0.key < $1.key }) {
            guard let entry = entries[id], entry.shape == mask.shape else {
                throw .mismatch(
                    "the mask of '\(graph.name(of: id))', of shape \(mask.shape), is for no parameter here")
            }
        }
        if leavesOutMasked, masks != self.masks { sessions = [:] }
        self.masks = masks
        updater.removeMasks()
        for (id, mask) in masks.masks {
            if let entry = entries[id] { updater.setMask(mask.kept, at: entry.range) }
        }
        if let base = store.values.baseAddress { updater.applyMask(to: base) }
    }

    /// The network as it is now.
    package func currentGraph() throws -> Graph {
        try masks.applied(to: store.written(to: graph))
    }

    /// The result: the network after the best epoch if the recipe keeps it, as it is now otherwise.
    package func trainedGraph() throws -> Graph {
        guard recipe.keepsBest, let best else { return try currentGraph() }
        return try graph(with: best.values)
    }

    /// The network with other parameters: all of the store's values, as they were once.
    package func graph(with values: [Float]) throws -> Graph {
        let current = Array(store.values)
        defer { _ = store.values.update(fromContentsOf: current) }
        _ = store.values.update(fromContentsOf: values)
        return try currentGraph()
    }

    /// Counts `step` steps as done, those that led to the parameters of the network: schedule and order of samples go on from
    /// there, and the optimiser begins anew.
    ///
    /// - Precondition: nothing was trained yet, and the recipe has that many steps.
    package func begin(at step: Int) {
        precondition(!position.hasBegun && (0...totalSteps).contains(step), "it cannot begin at step \(step)")
        position = TrainingPosition(epoch: step / stepsPerEpoch, step: step % stepsPerEpoch)
    }

    /// The share of the weights under a mask that are pruned.
    package var sparsity: Double? {
        guard !masks.masks.isEmpty else { return nil }
        let total = masks.masks.values.reduce(0) { $0 + $1.shape.count }
        let kept = masks.masks.values.reduce(0) { $0 + $1.keptCount }
        return total > 0 ? 1 - Double(kept) / Double(total) : 0
    }

    /// The program for a batch size, made when first asked for.
    func session(batchSize: Int) throws -> TrainingSession {
        if let session = sessions[batchSize] { return session }
        let resolved = try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: batchSize))
        let phase = Phase.training(
            frozenNormalization: recipe.freezesNormalization, seed: recipe.seed)
        var options = TrainingSession.Options(phase: phase, threads: lane.threads)
        options.allowsWinograd = true
        if leavesOutMasked { options.masks = masks }
        let session = try lane.run {
            try TrainingSession(resolved, outputs: [output], parameters: store, options: options)
        }
        sessions[batchSize] = session
        return session
    }

    /// The memory of a network input that holds the samples of the step under way, for hooks that have it train on others; nil if
    /// it holds no `float32` numbers.
    package func inputUnderWay(_ name: String) -> UnsafeMutableBufferPointer<Float>? {
        batchUnderWay.flatMap { sessions[$0.count]?.input(name) }
    }

    /// Writes a batch into a session's inputs.
    func feed(_ batch: Batch, to session: TrainingSession) throws(ExecutionError) {
        let others = binding.feed(batch, of: batcher) { session.input(graph.name(of: $0)) }
        for (id, tensor) in others { try session.setInput(graph.name(of: id), to: tensor) }
    }
}
