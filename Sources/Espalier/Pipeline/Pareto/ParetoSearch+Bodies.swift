import EspalierGraphs
import EspalierKernels
import EspalierONNX
import EspalierOperators
import EspalierPruning
import EspalierRuns
import EspalierSearch
import EspalierTraining
import Foundation

extension ParetoSearch {
    /// Measures a network as it is.
    func measureDense(_ context: TrialContext) throws -> RunRecord {
        let network = networks[index(context.seed)]
        let recorder = TrialRecorder(template, context)
        var record = try recorder.record(of: network.graph, data: data, lane: context.lane)
        record.model = .init(name: network.graph.name, path: network.path)
        record.after?.fileBytes = try writtenBytes(of: network.graph, context)
        let groups = try pruner(of: network.graph).groups
        var point = RunRecord.FrontPoint(
            key: context.key, method: "dense", seed: context.seed, error: 0, cost: 1, values: [:],
            accuracy: record.accuracy, widths: groups.widths(of: groups))
        point.error = 1 - (record.figures?["validationAccuracy"] ?? 0)
        for objective in Self.shares { point.values[objective.name] = 1 }
        point.values[Objective.accuracyDrop.name] = 0
        record.front = [point]
        record.trade = chargedTrade
        return record
    }

    /// Finds one network.
    func find(_ candidate: Candidate, _ context: TrialContext) throws -> RunRecord {
        let recorder = TrialRecorder(template, context)
        let dense = try context.result(of: denseKey(context.seed)).record
        let found = try context.withUsableCheckpoint {
            try candidate.method == .fromScratch
                ? trainFresh(candidate, context) : prune(candidate, context)
        }
        try context.writeModel(named: Self.modelName) { path in
            _ = try ModelFile.write(found.graph, to: path, dataset: data.validation, seed: context.seed)
        }
        var record = try recorder.record(of: found.graph, data: data, lane: context.lane)
        record.before = dense.after
        record.after?.fileBytes = Self.fileBytes(file(named: Self.modelName, context))
        record.epochs = found.history.map(RunRecord.Epoch.init)
        record.request = [
            .init("method", candidate.method.rawValue), .init("granularity", request.granularity.rawValue),
        ]
        record.front = [try point(candidate, found, record, dense: dense, context)]
        record.trade = chargedTrade
        return record
    }

    /// Measured of every network, whichever are wanted now: another run of the command may want others of what is kept.
    private static let shares: [Objective] = [.multiplyAccumulates, .parameters, .bytes]

    /// What a trial's own point is a part of.
    private var chargedTrade: RunRecord.Front {
        RunRecord.Front(
            objectives: [
                .init(name: Objective.accuracyDrop.name, unit: "share", dense: 0),
                .init(name: cost.id, unit: "share", dense: 1),
            ], reference: [TradeOff.referenceDrop, 1])
    }

    private static let modelName = "model.onnx"
    /// Where the next price begins: pruned and not yet repaired.
    private static let cutName = "cut.onnx"

    private struct Found {
        var graph: Graph
        var history: [EpochSummary]
    }

    private func prune(_ candidate: Candidate, _ context: TrialContext) throws -> Found {
        let given = networks[index(context.seed)]
        let dense = given.graph
        let start = try source(of: candidate).map { source in
            let model = try context.result(of: source.key).modelPath()
            let folder = URL(fileURLWithPath: model).deletingLastPathComponent()
            return try ONNXModel.load(from: folder.appendingPathComponent(Self.cutName).path)
        }
        var request = request
        if let budget = candidate.budget { request.targets = [.maximum(cost, share: budget)] }
        var repair = repair
        repair.recipe.seed = context.seed
        repair.recipe.threads = context.lane.threads
        if candidate.method.hasPrice { repair.pruningShare = penaltyShare }
        repair.schedule = candidate.method == .iterative ? .iterative : .oneShot
        request.criterion = try Criteria.criterion(criterion(of: candidate), seed: context.seed)
        var pipeline = PrunePipeline(request: request, repair: repair, lane: context.lane)
        pipeline.evidenceSamples = evidenceSamples
        pipeline.seed = context.seed
        pipeline.checkpoints = context.checkpoints
        pipeline.resumes = true
        pipeline.teacher = given.teacher
        // What training left behind is of the network as it was given, not of one that a smaller price has cut.
        if start == nil {
            pipeline.recorded = try EvidenceFile.evidence(
                for: request.criterion, of: dense, beside: given.path)
        }
        switch candidate.method {
        case .lagrangian:
            // The price is for the whole cost of the dense network, of which a part is gone already.
            let left = try start.map { try share(of: cost, $0, dense) } ?? 1
            pipeline.method = .training(
                .lagrangian(.init(cost: cost, lambda: candidate.lambda.map { $0 * left })))
        case .budget: pipeline.method = .training(.lagrangian(.init(cost: cost, lambda: nil)))
        case .gates: pipeline.method = .training(.gates(.init(cost: cost, lambda: nil)))
        case .oneShot, .iterative, .fromScratch: break
        }
        // The test data are read once, when all is done.
        let outcome = try pipeline.run(
            start ?? dense, data: .init(fit: data.fit, validation: data.validation, test: nil),
            observer: { event in
                if case .training(let event) = event { try context.tell(event) }
            }, isCancelled: { context.isCancelled })
        guard !outcome.isInterrupted else { throw TrialInterruption() }
        if candidate.method == .lagrangian, let cut = outcome.cut {
            try context.writeFile(named: Self.cutName) { path in
                _ = try ModelFile.write(cut, to: path, dataset: data.validation, seed: context.seed)
            }
        }
        return Found(graph: outcome.graph, history: outcome.history)
    }

    private func trainFresh(_ candidate: Candidate, _ context: TrialContext) throws -> Found {
        guard let source = source(of: candidate) else {
            throw TrialError.undeclared(key: "a structure", by: candidate.key)
        }
        let structure = try ONNXModel.load(from: context.result(of: source.key).modelPath())
        var recipe = scratch
        recipe.seed = context.seed
        recipe.threads = context.lane.threads
        let run = try TrainingRun(
            try pruner(of: structure).reinitialized(seed: context.seed), training: data.fit,
            validation: data.validation, recipe: recipe, lane: context.lane)
        if context.hasCheckpoint { try run.resume(from: context.checkpointPath) }
        let outcome = try run.train(
            checkpoints: context.checkpoints, observer: { try context.tell($0) },
            isCancelled: { context.isCancelled })
        guard outcome != .cancelled else { throw TrialInterruption() }
        return Found(graph: try run.trainedGraph(), history: run.history)
    }

    // MARK: Measures

    private func point(
        _ candidate: Candidate, _ found: Found, _ record: RunRecord, dense: RunRecord, _ context: TrialContext
    ) throws -> RunRecord.FrontPoint {
        let network = networks[index(context.seed)]
        let validation = record.figures?["validationAccuracy"] ?? 0
        var values = [
            Objective.accuracyDrop.name: (dense.figures?["validationAccuracy"] ?? 0) - validation
        ]
        for objective in Self.shares {
            values[objective.name] = try share(of: objective, found.graph, record, dense: dense)
        }
        return RunRecord.FrontPoint(
            key: candidate.key, method: candidate.method.rawValue, seed: candidate.seed,
            lambda: candidate.lambda, budget: candidate.budget, error: 1 - validation,
            cost: values[cost.id] ?? 1, values: values, accuracy: record.accuracy,
            widths: try pruner(of: found.graph).groups.widths(of: pruner(of: network.graph).groups),
            arguments: arguments(candidate, network))
    }

    private func share(
        of objective: Objective, _ graph: Graph, _ record: RunRecord, dense: RunRecord
    ) throws -> Double {
        guard let before = dense.after else { return 1 }
        let after = try RunRecord.Measures(
            graph, dataset: data.fit, evaluation: nil, split: "", path: nil)
        switch objective {
        case .multiplyAccumulates: return Double(after.effectiveMacs) / Double(max(1, before.macs))
        case .parameters: return Double(after.nonzero) / Double(max(1, before.parameters))
        case .bytes:
            guard let bytes = record.after?.fileBytes, let whole = before.fileBytes else { return 1 }
            return Double(bytes) / Double(max(1, whole))
        default: throw SearchError.notMeasured(objective.name, measured: costs.map(\.name))
        }
    }

    private func share(of cost: CostFunction, _ graph: Graph, _ dense: Graph) throws -> Double {
        try pruner(of: graph).cost(cost) / pruner(of: dense).cost(cost)
    }

    func pruner(of graph: Graph) throws -> Pruner {
        try Pruner(graph, inputShapes: InputBinding(graph, data.fit).shapes(batchSize: 1))
    }

    /// The size of a network's file, written as those of the candidates are: the given one may hold its weights otherwise, or
    /// in a second file.
    private func writtenBytes(of graph: Graph, _ context: TrialContext) throws -> Int {
        let path = file(named: "written.onnx", context)
        let parts = [path, "\(path).data"]
        defer { for part in parts { try? FileManager.default.removeItem(atPath: part) } }
        _ = try ModelFile.write(graph, to: path, dataset: data.validation, seed: context.seed)
        return parts.compactMap { Self.fileBytes($0) }.reduce(0, +)
    }

    /// In the trial's folder.
    private func file(named name: String, _ context: TrialContext) -> String {
        URL(fileURLWithPath: context.checkpointPath).deletingLastPathComponent()
            .appendingPathComponent(name).path
    }

    private static func fileBytes(_ path: String) -> Int? {
        try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    }

    private func criterion(of candidate: Candidate) -> String {
        candidate.method == .iterative ? iterativeCriterion : request.criterion.information.id
    }

    /// The command that finds a network by itself; nil where it takes the path of prices to it.
    private func arguments(_ candidate: Candidate, _ network: GivenNetwork) -> [String]? {
        guard let budget = candidate.budget else { return nil }
        var method: [String]
        switch candidate.method {
        case .budget: method = ["--method", "lagrangian"]
        case .gates: method = ["--method", "l0"]
        case .oneShot: method = []
        case .iterative: method = ["--schedule", "iterative"]
        case .lagrangian, .fromScratch: return nil
        }
        method += ["--criterion", criterion(of: candidate)]
        method += ["--max-\(cost.id)", "\(budget)", "--seed", "\(candidate.seed)"]
        if candidate.method.hasPrice { method += ["--penalty-share", "\(penaltyShare)"] }
        return ["prune", network.path] + pruneArguments + method
    }
}

extension PruningGroups {
    /// The widths of these groups, and what they were in another network of the same structure.
    func widths(of dense: PruningGroups) -> [RunRecord.Width] {
        dense.all.filter { $0.frozen == nil }.compactMap { group in
            self[group.id].map { RunRecord.Width(group: group.id, kept: $0.size, size: group.size) }
        }
    }
}
