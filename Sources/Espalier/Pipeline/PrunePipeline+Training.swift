import EspalierGraphs
import EspalierPruning
import EspalierSearch
import EspalierTraining

/// Methods that find out in training what is dispensable.
extension PrunePipeline {
    func runTraining(
        _ graph: Graph, by method: SparseTraining, pruner: Pruner, data: Data, repair: Repair,
        before: Evaluation?, observer: (Event) throws -> Void, isCancelled: () -> Bool
    ) throws -> Outcome {
        if !request.targets.isEmpty {
            // Better known before than after training: the least plan there is tells.
            var least = request
            least.criterion = Magnitude()
            _ = try pruner.plan(least)
        }
        switch method {
        case .dynamic(let growth):
            let hook = try DynamicSparseTraining(pruner, request: request, growth: growth, seed: seed) {
                try evidence($0, data: data)
            }
            let run = try trainingRun(graph, data: data, repair: repair, hooks: [hook])
            let isInterrupted = try train(
                run, checkpoints: checkpoints, observer: observer, isCancelled: isCancelled)
            guard let plan = hook.plan else {
                throw PruningError.invalidTarget("training ended before pruning began")
            }
            return try outcome(
                try run.trainedGraph(), pruner: pruner, plan: plan, data: data, before: before, pruned: nil,
                history: run.history, surgery: nil, isInterrupted: isInterrupted, observer: observer)
        case .lagrangian(let charge):
            if request.granularity == .channel {
                let hook = try GroupPenalty(
                    pruner, request: request, cost: charge.cost, lambda: charge.lambda
                ) { try evidence($0, data: data) }
                return try runPenalized(
                    graph, hook, pruner: pruner, data: data, repair: repair, before: before,
                    found: { (try $0.currentGraph(), hook.plan) }, observer: observer,
                    isCancelled: isCancelled)
            }
            let hook = try ElementPenalty(pruner, request: request, cost: charge.cost, lambda: charge.lambda)
            return try runPenalized(
                graph, hook, pruner: pruner, data: data, repair: repair, before: before,
                found: { (try $0.currentGraph(), try hook.plan($0)) }, observer: observer,
                isCancelled: isCancelled)
        case .gates(let charge):
            let hook = try GatedUnits(
                pruner, request: request, cost: charge.cost, lambda: charge.lambda, seed: seed)
            return try runPenalized(
                graph, hook, pruner: pruner, data: data, repair: repair, before: before,
                found: { (try hook.folded($0), hook.plan) }, observer: observer,
                isCancelled: isCancelled)
        }
    }

    /// Trains under a penalty, drops what it brought to zero and, where targets ask for more, the least important of the
    /// rest; and repairs without the penalty.
    ///
    /// - Parameter found: the network when the penalty has done its work and what it dropped.
    private func runPenalized(
        _ graph: Graph, _ hook: any StepHook, pruner: Pruner, data: Data, repair: Repair,
        before: Evaluation?, found: (TrainingRun) throws -> (Graph, PrunePlan),
        observer: (Event) throws -> Void, isCancelled: () -> Bool
    ) throws -> Outcome {
        var (penalized, polish) = (repair, repair)
        let epochs = repair.recipe.epochs
        penalized.recipe.epochs = max(1, Int((Double(epochs) * repair.pruningShare).rounded()))
        penalized.recipe.keepsBest = false
        penalized.recipe.patience = nil
        polish.recipe.epochs = epochs - penalized.recipe.epochs
        if polish.recipe.epochs > 0 {
            // The learning rate falls once, over both: every new warm start would undo what the penalty has kept.
            let share = Double(penalized.recipe.epochs) / Double(epochs)
            penalized.recipe.schedule = ScheduleSection(repair.recipe.schedule, from: 0, to: share)
            polish.recipe.schedule = ScheduleSection(repair.recipe.schedule, from: share, to: 1)
        }
        try observer(.stage("training with a price on the cost"))
        let run = try trainingRun(
            graph, data: data, repair: penalized, masks: heldZeros(pruner), hooks: [hook])
        let isInterrupted = try train(
            run, checkpoints: checkpoints?.beside("penalized"), observer: observer, isCancelled: isCancelled)
        if isInterrupted { polish.recipe.epochs = 0 }
        let (network, dropped) = try found(run)
        var plan = dropped
        if !request.targets.isEmpty, !isInterrupted {
            try observer(.stage("planning what the budget still asks for"))
            plan = try pruner.plan(
                request, evidence: try evidence(network, data: data), parameters: network,
                continuing: dropped)
            plan.criterion = dropped.criterion
        }
        var outcome = try complete(
            network, pruner: pruner, applier: try self.pruner(of: network, data: data),
            plan: plan, data: data, repair: polish, before: before, earlier: run.history, observer: observer,
            isCancelled: isCancelled)
        outcome.isInterrupted = outcome.isInterrupted || isInterrupted
        return outcome
    }
}

extension CheckpointPolicy {
    /// The same for an earlier part of the work, whose last state stays while later parts go on.
    fileprivate func beside(_ name: String) -> CheckpointPolicy {
        var policy = self
        policy.path += ".\(name)"
        return policy
    }
}
