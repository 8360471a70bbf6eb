import EspalierExecution
package import EspalierGraphs
import EspalierOperators
package import EspalierPruning
import EspalierTensors
import EspalierTraining
import Foundation

extension PrunePipeline {
    /// Prunes `graph`.
    ///
    /// - Parameters:
    ///   - data: needed for repair and for criteria that measure; without it only the plan is applied.
    ///   - given: a plan to apply instead of making one.
    ///   - observer: told of stages, steps and epochs.
    ///   - isCancelled: asked before every training step; the outcome is then what there is so far.
    /// - Throws: ``PruningError``, ``TrainingError``, ``ExecutionError``, ``DataError``.
    package func run(
        _ graph: Graph, data: Data?, plan given: PrunePlan? = nil,
        observer: (Event) throws -> Void = { _ in },
        isCancelled: () -> Bool = { false }
    ) throws -> Outcome {
        guard teacher != nil else {
            var pipeline = self
            pipeline.teacher = Teacher(graph)
            return try pipeline.run(
                graph, data: data, plan: given, observer: observer, isCancelled: isCancelled)
        }
        let pruner = try pruner(of: graph, data: data)
        if let data, data.test?.isLabelled ?? false { try observer(.stage("evaluating the dense network")) }
        let before = try data?.test.flatMap { try evaluate(graph, on: $0) }
        let repair = data == nil ? nil : self.repair
        switch method {
        case .planned:
            return try runPlanned(
                graph, pruner: pruner, data: data, repair: repair, plan: given, before: before,
                observer: observer, isCancelled: isCancelled)
        case .training(let method):
            guard let repair, let data, repair.recipe.epochs > 0 else {
                throw PruningError.invalidTarget("a method that trains needs data and epochs")
            }
            return try runTraining(
                graph, by: method, pruner: pruner, data: data, repair: repair, before: before,
                observer: observer,
                isCancelled: isCancelled)
        }
    }

    private func runPlanned(
        _ graph: Graph, pruner: Pruner, data: Data?, repair: Repair?, plan given: PrunePlan?,
        before: Evaluation?, observer: (Event) throws -> Void, isCancelled: () -> Bool
    ) throws -> Outcome {
        if let repair, let data, repair.schedule != .oneShot, given == nil {
            return try runGradually(
                graph, pruner: pruner, data: data, repair: repair, before: before, observer: observer,
                isCancelled: isCancelled)
        }
        try observer(.stage("planning"))
        var measured: Evidence?
        let plan =
            try given
            ?? pruner.plan(request) { network in
                let evidence = try evidence(network, data: data)
                measured = evidence
                return evidence
            }
        let compensated = try compensated(graph, by: plan, measured, pruner: pruner, data: data)
        let applier = try compensated.map { try self.pruner(of: $0, data: data) } ?? pruner
        return try complete(
            compensated ?? graph, pruner: pruner, applier: applier, plan: plan, data: data,
            repair: repair, before: before, observer: observer, isCancelled: isCancelled)
    }

    /// Applies a plan and repairs what is left.
    ///
    /// - Parameters:
    ///   - graph: the network to apply it to: the one that the plan is for, perhaps with other weights.
    ///   - applier: of that network.
    ///   - earlier: epochs trained already.
    func complete(
        _ graph: Graph, pruner: Pruner, applier: Pruner, plan: PrunePlan, data: Data?,
        repair: Repair?, before: Evaluation?, earlier: [EpochSummary] = [],
        observer: (Event) throws -> Void, isCancelled: () -> Bool
    ) throws -> Outcome {
        let surgery =
            plan.granularity == .channel ? try verify(applier, plan, graph: graph, data: data) : nil
        var network = try applier.applying(plan)
        var pruned: Evaluation?
        if let data {
            try observer(.stage("recalibrating batch norm"))
            network = try recalibrated(network, data: data)
            pruned = try data.validation.flatMap { try evaluate(network, on: $0) }
        }
        let cut = network
        var history = earlier
        var isInterrupted = false
        if let repair, let data, repair.recipe.epochs > 0 {
            // The channels are gone; single weights that were zero before stay so. Of weights the plan knows that.
            let masks =
                plan.granularity == .channel ? MaskSet(zerosOf: network) : try pruner.masks(of: plan)
            let run = try trainingRun(
                network, data: data, repair: repair, masks: masks)
            isInterrupted = try train(
                run, checkpoints: checkpoints, observer: observer, isCancelled: isCancelled)
            network = try run.trainedGraph()
            history += run.history.map { summary in
                var summary = summary
                summary.epoch += earlier.count
                return summary
            }
        }
        var outcome = try outcome(
            network, pruner: pruner, plan: plan, data: data, before: before, pruned: pruned, history: history,
            surgery: surgery, isInterrupted: isInterrupted, observer: observer)
        outcome.cut = cut
        return outcome
    }

    /// Only the plan, and the network as it would be without repair.
    package func plan(
        _ graph: Graph, data: Data?
    ) throws -> (plan: PrunePlan, receipt: Receipt, network: Graph) {
        let pruner = try pruner(of: graph, data: data)
        let plan = try pruner.plan(request) { try evidence($0, data: data) }
        let network = try pruner.applying(plan)
        return (
            plan, try pruner.receipt(for: plan, after: network, costs: request.targetCosts), network
        )
    }

    // MARK: Pruning while repairing

    private func runGradually(
        _ graph: Graph, pruner: Pruner, data: Data, repair: Repair, before: Evaluation?,
        observer: (Event) throws -> Void, isCancelled: () -> Bool
    ) throws -> Outcome {
        let batches = max(1, data.fit.sampleCount / repair.recipe.batchSize)
        let end = Int(Double(repair.recipe.epochs * batches) * repair.pruningShare)
        let hook = try GradualPruning(
            pruner, request: request, schedule: repair.schedule.schedule(end: end),
            regrowth: repair.regrowth, held: heldZeros(pruner),
            evidence: { try evidence($0, data: data) })
        let run = try trainingRun(
            graph, data: data, repair: repair, masks: heldZeros(pruner), hooks: [hook])
        let isInterrupted = try train(
            run, checkpoints: checkpoints, observer: observer, isCancelled: isCancelled)
        let trained = try run.trainedGraph()
        guard let plan = hook.plan else {
            throw PruningError.invalidTarget("training ended before pruning began")
        }
        // The trained network has the structure that the plan was made for, and newer weights.
        let trainedPruner = try self.pruner(of: trained, data: data)
        let surgery =
            plan.granularity == .channel ? try verify(trainedPruner, plan, graph: trained, data: data) : nil
        return try outcome(
            try trainedPruner.applying(plan), pruner: pruner, plan: plan, data: data, before: before,
            pruned: nil,
            history: run.history, surgery: surgery, isInterrupted: isInterrupted, observer: observer)
    }

    // MARK: Parts

    /// The single weights that were pruned before and stay zero: where channels are to go all of them, else those of the layers
    /// that are left alone.
    func heldZeros(_ pruner: Pruner) throws(PruningError) -> MaskSet {
        request.granularity == .channel
            ? MaskSet(zerosOf: pruner.graph) : try pruner.heldZeros(for: request)
    }

    func pruner(of graph: Graph, data: Data?) throws -> Pruner {
        let shapes = try data.map { try InputBinding(graph, $0.fit).shapes(batchSize: 1) } ?? [:]
        return try Pruner(graph, inputShapes: shapes.merging(inputShapes) { $1 })
    }

    func outcome(
        _ network: Graph, pruner: Pruner, plan: PrunePlan, data: Data?, before: Evaluation?,
        pruned: Evaluation?,
        history: [EpochSummary], surgery: Verification?, isInterrupted: Bool, observer: (Event) throws -> Void
    ) throws -> Outcome {
        if let data, data.test?.isLabelled ?? false { try observer(.stage("evaluating the pruned network")) }
        let after = try data?.test.flatMap { try evaluate(network, on: $0) }
        return Outcome(
            graph: network, plan: plan,
            receipt: try pruner.receipt(for: plan, after: network, costs: request.targetCosts),
            before: before,
            pruned: pruned, after: after, history: history, surgery: surgery, isInterrupted: isInterrupted)
    }

    /// Nil for data without labels, which say nothing on how good a network is.
    func evaluate(_ graph: Graph, on dataset: Dataset) throws -> Evaluation? {
        guard dataset.isLabelled else { return nil }
        let output = try graph.lossOutput(for: dataset, batchSize: 1)
        return try Evaluator(graph, output: output, lane: lane).evaluate(dataset)
    }

    /// What a criterion requires, from a seeded part of the training data.
    func evidence(
        _ graph: Graph, data: Data?, for criterion: (any Criterion)? = nil
    ) throws -> Evidence {
        let kinds = (criterion ?? request.criterion).requiredEvidence.subtracting(recorded.kinds)
        var evidence = recorded
        guard !kinds.isEmpty else { return evidence }
        guard let data else {
            evidence.merge(
                try EvidenceCollector.collectWithoutData(
                    kinds, from: graph, inputShapes: inputShapes, lane: lane))
            return evidence
        }
        evidence.merge(
            try EvidenceCollector.collect(
                kinds, from: graph, dataset: data.fit, samples: evidenceSamples, seed: seed, lane: lane,
                willTakeBatch: willMeasureBatch))
        return evidence
    }

    /// The network with the weights that stay moved, if the plan's criterion does so and there are data to say where to;
    /// nil if not.
    private func compensated(
        _ graph: Graph, by plan: PrunePlan, _ measured: Evidence?, pruner: Pruner, data: Data?
    ) throws -> Graph? {
        guard data != nil, let criterion = try? Criteria.criterion(plan.criterion, seed: seed),
            criterion is any WeightCompensation
        else { return nil }
        return try pruner.compensating(
            plan, by: criterion, evidence: try measured ?? evidence(graph, data: data, for: criterion))
    }

    /// Runs the masked and the cut network on some samples: they must agree before anything is written.
    func verify(_ pruner: Pruner, _ plan: PrunePlan, graph: Graph, data: Data?) throws -> Verification {
        let shapes = pruner.resolved.inputShapes
        let graph = try graph.understoodPart(inputShapes: shapes)
        let batches = try VerificationInputs.batches(
            of: graph, dataset: data?.validation ?? data?.fit, shapes: shapes, seed: seed)
        let verification = try pruner.verify(plan) { graph in
            let graph = try graph.understoodPart(inputShapes: shapes)
            let session = try InferenceSession(graph: graph)
            return try batches.map { batch in
                let outputs = try session.run(batch)
                return graph.outputs.compactMap { outputs[graph.name(of: $0)] }
            }
        }
        guard verification.isWithin(relative: 1e-3) else {
            throw PruningError.surgery(
                "its outputs differ by \(verification.maxAbsoluteDifference) from the masked model's")
        }
        return verification
    }

    private func recalibrated(_ graph: Graph, data: Data) throws -> Graph {
        try NormalizationRecalibration(lane: lane, seed: seed).applied(to: graph, data: data.fit)
    }

    func trainingRun(
        _ network: Graph, data: Data, repair: Repair, masks: MaskSet = MaskSet(),
        hooks: [any StepHook] = []
    ) throws -> TrainingRun {
        var recipe = repair.recipe
        // Distillation compares distributions over classes; a regression learns from its targets alone.
        let weight: Double =
            switch data.fit.labels {
            case .none: 1
            case .classes: repair.distillationWeight
            case .targets: 0
            }
        if weight > 0 {
            recipe.loss = Distillation(
                temperature: repair.distillationTemperature, weight: weight,
                hard: recipe.loss as? CrossEntropy ?? CrossEntropy())
        }
        return try TrainingRun(
            network, training: data.fit, validation: data.validation, recipe: recipe,
            teacher: weight > 0 ? teacher : nil, masks: masks, hooks: hooks, lane: lane)
    }

    /// Trains to the end, from the checkpoint if that is wanted; whether it was interrupted.
    func train(
        _ run: TrainingRun, checkpoints: CheckpointPolicy?, observer: (Event) throws -> Void,
        isCancelled: () -> Bool
    ) throws -> Bool {
        if resumes, let path = checkpoints?.path, FileManager.default.fileExists(atPath: path) {
            try run.resume(from: path)
            try observer(.stage("resuming after \(run.stepsDone) of \(run.totalSteps) steps"))
        }
        let outcome = try run.train(
            checkpoints: checkpoints, observer: { try observer(.training($0)) }, isCancelled: isCancelled)
        return outcome == .cancelled
    }
}

extension PrunePipeline.ScheduleKind {
    /// The schedule that ends at step `end`.
    func schedule(end: Int) -> PruningSchedule {
        switch self {
        case .oneShot: .oneShot()
        case .iterative: PruningSchedule(.iterative(rounds: 5), end: end)
        case .cubic: PruningSchedule(.cubic(interval: max(1, end / 40)), end: end)
        }
    }
}
