import EspalierGraphs
import EspalierKernels
import EspalierLottery
import EspalierONNX
import EspalierPruning
import EspalierRuns
import EspalierTraining
import Foundation

extension LotteryExperiment {
    /// Trains one network, and measures it.
    func train(_ method: Method, round: Int, _ context: TrialContext) throws -> RunRecord {
        let recorder = TrialRecorder(template, context)
        let start = try start(method, round: round, context)
        let trained = try context.withUsableCheckpoint { try train(start, context) }
        if method == .winning { try keep(start, trained, context) }
        var record = try recorder.record(of: trained.last, data: data, lane: context.lane)
        record.epochs = trained.history.map(RunRecord.Epoch.init)
        record.request = [.init("method", method.rawValue), .init("round", "\(round)")]
        record.ticket = try ticket(method, round: round, start, trained, record, context)
        record.notes = start.note.map { [$0] }
        return record
    }

    /// A network before its training.
    struct Start {
        var graph: Graph
        /// nil of a dense network.
        var plan: PrunePlan?
        var masks = MaskSet()
        /// Steps that count as done.
        var step = 0
        /// Where scores are trained, and not weights.
        var popup: EdgePopup?
        /// The step after which parameters are to be kept.
        var snapshot: ParameterSnapshot?
        var note: String?
    }

    struct Trained {
        var last: Graph
        /// At the least validation loss.
        var early: Graph
        var best: EarlyStoppingWatch.Measurement
        var steps: Int
        var history: [EpochSummary]
        /// At the step to which others rewind.
        var rewound: Graph?
    }

    /// Scores are trained as in the paper: their sizes have nothing to do with those of weights.
    private var popupRecipe: TrainingRecipe {
        var popup = recipe
        popup.optimizer = StochasticGradientDescent(momentum: 0.9, weightDecay: 1e-4)
        popup.schedule = CosineAnnealing(peak: 0.1)
        return popup
    }

    private func train(_ start: Start, _ context: TrialContext) throws -> Trained {
        var recipe = start.popup == nil ? recipe : popupRecipe
        recipe.seed = context.seed
        recipe.threads = context.lane.threads
        recipe.keepsBest = false
        let watch = EarlyStoppingWatch(interval: evaluationInterval)
        let others: [(any StepHook)?] = [start.popup, start.snapshot]
        let run = try TrainingRun(
            start.graph, training: data.fit, validation: data.validation, recipe: recipe, masks: start.masks,
            leavesOutMasked: true, hooks: others.compactMap { $0 } + [watch], lane: context.lane)
        run.begin(at: start.step)
        if context.hasCheckpoint { try run.resume(from: context.checkpointPath) }
        let outcome = try run.train(
            checkpoints: context.checkpoints, observer: { try context.tell($0) },
            isCancelled: { context.isCancelled })
        guard outcome != .cancelled else { throw TrialInterruption() }
        guard let best = watch.best else {
            throw TrainingError.mismatch("its validation loss was never measured")
        }
        let (last, early) = (try run.currentGraph(), try watch.bestGraph(run))
        return Trained(
            last: try start.popup?.evaluated(last, in: run) ?? last,
            early: try start.popup?.evaluated(early, in: run) ?? early, best: best, steps: run.totalSteps,
            history: run.history, rewound: try start.snapshot?.graph(run))
    }

    // MARK: Where networks begin

    private func start(_ method: Method, round: Int, _ context: TrialContext) throws -> Start {
        guard round > 0 else {
            let snapshot = rewindStep > 0 ? ParameterSnapshot(step: rewindStep) : nil
            return Start(graph: try initial(seed: context.seed), snapshot: snapshot)
        }
        switch method {
        case .winning:
            return try pruned(
                from: Self.key(.winning, round: round - 1, seed: context.seed), round: round, context)
        case .oneShot: return try pruned(from: denseKey(context.seed), round: round, context)
        case .reinitialized, .randomMask, .shuffled, .signs: return try control(method, round: round, context)
        case .magnitude, .snip, .grasp, .synflow: return try untrained(method, round: round, context)
        case .edgePopup: return try popup(round: round, context)
        }
    }

    /// The rewound network with what another one, trained, is pruned to.
    private func pruned(from key: String, round: Int, _ context: TrialContext) throws -> Start {
        let source = try context.result(of: key)
        let pruner = try pruner(of: initial(seed: context.seed))
        // Identities are a graph's own: the trained weights, in the network that plans are for.
        let trained = try pruner.graph.takingConstants(of: ONNXModel.load(from: source.modelPath()))
        let criterion = try Criteria.criterion(criterion, seed: context.seed)
        let evidence = try EvidenceCollector.collect(
            criterion.requiredEvidence, from: trained, dataset: data.fit, samples: evidenceSamples,
            seed: context.seed, lane: context.lane)
        let plan = try pruner.plan(
            request(criterion, round: round), evidence: evidence, parameters: trained,
            continuing: try plan(of: source))
        return Start(
            graph: try rewound(context), plan: plan, masks: try pruner.masks(of: plan), step: rewindStep)
    }

    private func control(_ method: Method, round: Int, _ context: TrialContext) throws -> Start {
        let winner = try context.result(of: Self.key(.winning, round: round, seed: context.seed))
        guard let plan = try plan(of: winner) else {
            throw TrialError.missingModel(key: winner.key, reason: "has no plan beside it")
        }
        let first = try pruner(of: initial(seed: context.seed))
        var start = Start(graph: first.graph, plan: plan, masks: try first.masks(of: plan))
        switch method {
        case .reinitialized: start.graph = try reinitialized(first, seed: context.seed)
        case .randomMask:
            start.masks = MaskControls.random(start.masks, of: first.graph, seed: context.seed)
        case .shuffled:
            start.masks = MaskControls.shuffledWithinUnits(
                start.masks, of: first.groups, in: first.graph, seed: context.seed)
        default: break
        }
        guard method != .reinitialized else { return start }
        start.graph = try rewound(context)
        start.step = rewindStep
        if method == .signs {
            start.graph = try SignedConstants.applied(
                to: start.graph, weights: start.masks.masks.keys.sorted())
        }
        return start
    }

    private func untrained(_ method: Method, round: Int, _ context: TrialContext) throws -> Start {
        let pruner = try pruner(of: initial(seed: context.seed))
        let criterion = try Criteria.criterion(method.initialCriterion ?? "", seed: context.seed)
        var request = try request(criterion, round: round)
        if method != .magnitude {
            // These compare weights of all layers: so they are meant, and so they are at their best.
            let share = try remaining(pruner, round: round)
            request = PruningRequest(.element, targets: [.sparsity(1 - share)], criterion: criterion)
        }
        let plan = try pruner.plan(request) { graph in
            try EvidenceCollector.collect(
                criterion.requiredEvidence, from: graph, dataset: data.fit, samples: evidenceSamples,
                seed: context.seed, lane: context.lane)
        }
        return Start(graph: pruner.graph, plan: plan, masks: try pruner.masks(of: plan))
    }

    /// Weights of one size in a layer, with the signs of the initial ones: of such, edge-popup finds the best subnetworks. The fewer
    /// take part the larger they are, so that activations keep their size.
    private func popup(round: Int, _ context: TrialContext) throws -> Start {
        let pruner = try pruner(of: initial(seed: context.seed))
        let layers = try partLayers(pruner)
        var parts: [EdgePopup.Part] = []
        var factors: [ValueID: Double] = [:]
        for layer in layers {
            let share = remaining(of: layer, pruner, round: round)
            let outputs = layer.producerAxis.map { layer.shape[$0] } ?? 1
            parts.append(
                .init(
                    weight: layer.weight, kept: max(1, Int((share * Double(layer.shape.count)).rounded())),
                    fanIn: layer.shape.count / max(1, outputs)))
            factors[layer.weight] = 1 / share.squareRoot()
        }
        return Start(
            graph: try SignedConstants.applied(
                to: pruner.graph, weights: layers.map(\.weight), times: { factors[$0] ?? 1 }),
            popup: EdgePopup(parts, seed: context.seed))
    }

    // MARK: Networks

    /// The network of a seed before any training.
    func initial(seed: UInt64) throws -> Graph {
        switch networks {
        case .given(let network): return network.graph
        case .fresh(let architecture, let options):
            return try data.fit.freshNetwork(architecture, options, seed: seed)
        }
    }

    /// Fresh weights, drawn like the first ones.
    private func reinitialized(_ first: Pruner, seed: UInt64) throws -> Graph {
        // Far from all seeds that anyone counts to.
        let fresh = ~seed
        guard case .given = networks else { return try initial(seed: fresh) }
        return try first.reinitialized(seed: fresh)
    }

    /// The network that tickets are rewound to.
    private func rewound(_ context: TrialContext) throws -> Graph {
        let first = try initial(seed: context.seed)
        guard rewindStep > 0 else { return first }
        let model = try context.result(of: denseKey(context.seed)).modelPath()
        return try first.takingConstants(
            of: ONNXModel.load(from: Self.file(Self.rewoundName, beside: model)))
    }

    func pruner(of graph: Graph) throws -> Pruner {
        try Pruner(graph, inputShapes: InputBinding(graph, data.fit).shapes(batchSize: 1))
    }

    // MARK: Shares

    private func request(_ criterion: any Criterion, round: Int) throws -> PruningRequest {
        switch share {
        case .layerwise(let rates):
            let groups = try pruner(of: initial(seed: 0)).groups
            return PruningRequest(
                .element, targets: [], criterion: criterion,
                scope: AllocationScope(try rates.allocation(after: round, of: groups)))
        case .global(let rate):
            return PruningRequest(
                .element, targets: [.sparsity(1 - pow(1 - rate, Double(round)))], criterion: criterion)
        }
    }

    /// The layers that are pruned, those of one weight once.
    func partLayers(_ pruner: Pruner) throws -> [WeightedLayer] {
        var seen: Set<ValueID> = []
        return pruner.groups.layers.filter { $0.refused == nil && seen.insert($0.weight).inserted }
    }

    private func remaining(of layer: WeightedLayer, _ pruner: Pruner, round: Int) -> Double {
        switch share {
        case .layerwise(let rates): rates.remaining(of: layer, after: round)
        case .global(let rate): pow(1 - rate, Double(round))
        }
    }

    /// The share of all prunable weights that is left after a round.
    func remaining(_ pruner: Pruner, round: Int) throws -> Double {
        let layers = try partLayers(pruner)
        let kept = layers.reduce(0) {
            $0 + remaining(of: $1, pruner, round: round) * Double($1.shape.count)
        }
        return kept / Double(max(1, layers.reduce(0) { $0 + $1.shape.count }))
    }

    // MARK: Files and results

    static let planName = "plan.json"
    static let ticketName = "ticket.onnx"
    private static let trainedName = "model.onnx"
    private static let rewoundName = "rewound.onnx"

    static func file(_ name: String, beside model: String) -> String {
        URL(fileURLWithPath: model).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// Leaves the trained network, which the next round prunes, and the ticket as it was before training.
    private func keep(_ start: Start, _ trained: Trained, _ context: TrialContext) throws {
        func write(_ graph: Graph, _ path: String) throws {
            _ = try ModelFile.write(graph, to: path, dataset: data.validation, seed: context.seed)
        }
        try context.writeModel(named: Self.trainedName) { try write(trained.last, $0) }
        try context.writeFile(named: Self.ticketName) { path in
            try write(try start.masks.applied(to: start.graph), path)
        }
        if let rewound = trained.rewound {
            try context.writeFile(named: Self.rewoundName) { try write(rewound, $0) }
        }
        if let plan = start.plan {
            let json = try plan.json()
            try context.writeFile(named: Self.planName) { try json.write(to: URL(fileURLWithPath: $0)) }
        }
    }

    /// The plan of a ticket; nil of a dense network.
    func plan(of trial: FinishedTrial) throws -> PrunePlan? {
        let path = Self.file(Self.planName, beside: try trial.modelPath())
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try PrunePlan(json: Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private func ticket(
        _ method: Method, round: Int, _ start: Start, _ trained: Trained, _ record: RunRecord,
        _ context: TrialContext
    ) throws -> RunRecord.Ticket {
        let layers = try partLayers(pruner(of: start.graph)).map { layer -> RunRecord.Ticket.Layer in
            let size = layer.shape.count
            let kept =
                start.popup?.kept(of: layer.weight) ?? start.masks[layer.weight]?.keptCount ?? size
            return .init(name: layer.weightName, kept: kept, size: size)
        }
        let size = layers.reduce(0) { $0 + $1.size }
        let early = try data.test.map { test in
            let output = try trained.early.lossOutput(for: test, batchSize: 1)
            return try Evaluator(trained.early, output: output, lane: context.lane).evaluate(test)
        }
        return RunRecord.Ticket(
            method: method.key, seed: context.seed, round: round,
            remaining: Double(layers.reduce(0) { $0 + $1.kept }) / Double(max(1, size)),
            accuracy: record.accuracy ?? 0, validation: record.figures?["validationAccuracy"] ?? 0,
            earlyStep: trained.best.step, earlyAccuracy: early?.value.accuracy ?? 0, steps: trained.steps,
            layers: layers)
    }
}

extension Graph {
    /// This graph with the constants of another one of the same structure, by name.
    fileprivate func takingConstants(of other: Graph) throws -> Graph {
        var patch = Patch(for: self)
        for id in parameters {
            guard let same = other.value(named: name(of: id)), let tensor = other.constants[same.id],
                tensor.shape == constants[id]?.shape
            else {
                throw TrainingError.mismatch("the network kept for '\(self.name)' lacks '\(name(of: id))'")
            }
            patch.append(.setConstant(id, tensor))
        }
        return try applying(patch)
    }
}
