import EspalierGraphs
import EspalierKernels
import EspalierONNX
import EspalierOperators
import EspalierPruning
import EspalierRuns
import EspalierTensors
import EspalierTraining
import Foundation

extension CriteriaComparison {
    /// Trains the network of a seed, and leaves it as the trial's model.
    ///
    /// - Parameter journey: what is collected on the way, and left beside the model.
    func trainDense(
        _ context: TrialContext, collecting journey: JourneyRecorder.Quantity?
    ) throws -> RunRecord {
        let recorder = TrialRecorder(template, context)
        let graph = try freshNetwork(context.seed)
        guard case .trained(_, _, var recipe) = networks else { return recorder.record }
        recipe.seed = context.seed
        recipe.threads = context.lane.threads
        let hook = journey.map { JourneyRecorder([$0]) }
        let run = try TrainingRun(
            graph, training: data.fit, validation: data.validation, recipe: recipe,
            hooks: [hook].compactMap { $0 }, lane: context.lane)
        try context.withUsableCheckpoint {
            if context.hasCheckpoint { try run.resume(from: context.checkpointPath) }
        }
        let outcome = try run.train(
            checkpoints: context.checkpoints, observer: { try context.tell($0) },
            isCancelled: { context.isCancelled })
        guard outcome != .cancelled else { throw TrialInterruption() }
        let trained = try run.trainedGraph()
        if let hook {
            try context.writeFile(named: EvidenceFile.path(beside: Self.modelName)) { path in
                try EvidenceFile.write(hook.evidence(run), of: trained, at: path)
            }
        }
        try context.writeModel(named: Self.modelName) { path in
            _ = try ModelFile.write(trained, to: path, dataset: data.validation, seed: context.seed)
        }
        var record = try recorder.record(of: trained, data: data, lane: context.lane)
        record.epochs = run.history.map(RunRecord.Epoch.init)
        record.request = [.init("network", "dense")]
        try further?.add(&record, trained, context)
        return record
    }

    /// Measures a network at hand.
    func measureDense(_ context: TrialContext) throws -> RunRecord {
        let network = try given(context.seed)
        var record = try TrialRecorder(template, context).record(
            of: network.graph, data: data, lane: context.lane)
        record.model = .init(name: network.graph.name, path: network.path)
        record.request = [.init("network", "dense")]
        try further?.add(&record, network.graph, context)
        return record
    }

    /// Prunes the network of a seed, repairs it if that is wanted, and measures what is left.
    func prune(
        _ context: TrialContext, by name: String, to sparsity: Double, shelf: EvidenceShelf
    ) throws -> RunRecord {
        let recorder = TrialRecorder(template, context)
        let dense = try context.result(of: denseKey(context.seed))
        let criterion = try Criteria.criterion(name, seed: context.seed)
        let network = try network(context, for: name)
        let graph = network.graph
        var request = request
        request.criterion = criterion
        request.targets = [.sparsity(sparsity)]
        var repair = repair
        repair?.recipe.seed = context.seed
        repair?.recipe.threads = context.lane.threads
        var pipeline = PrunePipeline(request: request, repair: repair, lane: context.lane)
        pipeline.evidenceSamples = evidenceSamples
        pipeline.seed = context.seed
        pipeline.checkpoints = context.checkpoints
        pipeline.resumes = true
        pipeline.teacher = network.teacher
        pipeline.recorded = try EvidenceFile.evidence(for: criterion, of: graph, beside: network.path)
        if sharesEvidence(criterion) {
            let wanted = criterion.requiredEvidence.subtracting(pipeline.recorded.kinds)
            let source = "\(denseKey(context.seed)), seed \(context.seed)"
            pipeline.recorded.merge(
                try shelf.evidence(wanted, of: source) {
                    try EvidenceCollector.collect(
                        wanted, from: graph, dataset: data.fit, samples: evidenceSamples, seed: context.seed,
                        lane: context.lane)
                })
        }
        var stages = StageClock()
        let outcome = try context.withUsableCheckpoint {
            // The test data are read once, below.
            try pipeline.run(
                graph, data: .init(fit: data.fit, validation: data.validation, test: nil),
                observer: { event in
                    switch event {
                    case .stage(let name): stages.begin(name)
                    case .training(let event): try context.tell(event)
                    }
                }, isCancelled: { context.isCancelled })
        }
        stages.end()
        guard !outcome.isInterrupted else { throw TrialInterruption() }
        var record = try recorder.record(of: outcome.graph, data: data, lane: context.lane)
        record.model = dense.record.model
        record.before = dense.record.after
        record.pruned = outcome.pruned.map {
            .init(outcome.receipt.after, evaluation: $0, split: "validation", path: nil)
        }
        record.epochs = repair == nil ? nil : outcome.history.map(RunRecord.Epoch.init)
        record.requestedSparsity = sparsity
        record.achievedSparsity =
            outcome.receipt.targets.first { $0.kind == "sparsity" }?.achieved
            ?? outcome.receipt.achievedSparsity
        record.request = [
            .init("criterion", name), .init("granularity", request.granularity.rawValue),
            .init("scope", type(of: request.scope).information.id),
        ]
        if repair == nil || repair?.schedule == .oneShot {
            // What the criterion costs: its passes over the data, its scores, and the plan.
            record.figures?["decisionSeconds"] =
                pipeline.recorded.seconds(for: criterion.requiredEvidence)
                + stages.seconds["planning", default: 0]
        }
        try further?.add(&record, outcome.graph, context)
        return record
    }

    // MARK: Parts

    private static let modelName = "model.onnx"

    private func given(_ seed: UInt64) throws -> GivenNetwork {
        guard case .given(let networks) = networks, !networks.isEmpty else {
            throw TrainingError.mismatch("there is no network to compare criteria on")
        }
        return networks[Int(seed % UInt64(networks.count))]
    }

    /// The network to prune, and the file beside which evidence of its training lies.
    private func network(_ context: TrialContext, for criterion: String) throws -> GivenNetwork {
        switch networks {
        case .given: return try given(context.seed)
        case .trained:
            let journey = try journeys(of: criterion).first
            let trained = journey.map { key($0, seed: context.seed) } ?? denseKey(context.seed)
            let path = try context.result(of: trained).modelPath()
            return GivenNetwork(path: path, graph: try ONNXModel.load(from: path))
        }
    }

    private func freshNetwork(_ seed: UInt64) throws -> Graph {
        guard case .trained(let architecture, let options, _) = networks else {
            throw TrainingError.mismatch("there is no architecture to train")
        }
        return try data.fit.freshNetwork(architecture, options, seed: seed)
    }

    /// About what a trial takes at most: parameters with their gradients, optimizer states, best values and evidence, and
    /// two batches' activations with their gradients.
    func peakBytes() throws -> Int {
        let graph: Graph
        switch networks {
        case .trained: graph = try freshNetwork(0)
        case .given(let networks):
            guard let largest = networks.map(\.graph).max(by: { $0.parameterBytes < $1.parameterBytes })
            else {
                return 0
            }
            graph = largest
        }
        return try graph.trainingBytes(data.fit, batchSize: repair?.recipe.batchSize ?? 0)
    }
}

/// How long each stage of a pipeline took.
private struct StageClock {
    private(set) var seconds: [String: Double] = [:]
    private var current: (name: String, start: ContinuousClock.Instant)?

    mutating func begin(_ name: String) {
        end()
        current = (name, .now)
    }

    mutating func end() {
        if let current {
            seconds[current.name, default: 0] += (ContinuousClock.now - current.start) / .seconds(1)
        }
        current = nil
    }
}
