import EspalierExecution
package import EspalierGraphs
package import EspalierTensors
package import EspalierTraining
import Foundation

/// Prunes by a schedule while a network trains: at each step of the schedule it plans anew with the weights of the
/// moment, and masks.
///
/// What was dropped stays dropped, unless some of it regrows, and masks hold through every update in between. A channel
/// plan is masked too (with all coupled slices, so that the network computes what the cut one will); cut it when
/// training is over.
package final class GradualPruning: StepHook {
    private let pruner: Pruner
    private let request: PruningRequest
    private let schedule: PruningSchedule
    private let held: MaskSet
    private let evidence: Evidence.Source
    /// nil where what was dropped stays so.
    private var regrowth: Regrowth?
    /// What is dropped by now; nil before the first step of the schedule.
    package private(set) var plan: PrunePlan?
    package private(set) var isSettled = false

    /// - Parameters:
    ///   - pruner: of the network that trains.
    ///   - request: the final targets.
    ///   - schedule: in optimiser steps.
    ///   - regrowth: the share of the kept weights which is exchanged for dropped ones with large gradients at the schedule's first
    ///     step, from 0 to below 1, falling to 0 at the last.
    ///   - held: what else is masked throughout.
    /// - Throws: ``PruningError/invalidTarget(_:)`` if anything but single weights is to regrow: channels that are masked on
    ///   all sides have no gradient, and single weights would break N:M groups and blocks.
    package init(
        _ pruner: Pruner, request: PruningRequest, schedule: PruningSchedule, regrowth: Double = 0,
        held: MaskSet = MaskSet(), evidence: @escaping Evidence.Source = { _ in .none }
    ) throws(PruningError) {
        guard (0..<1).contains(regrowth) else {
            throw .invalidTarget("the share that regrows must be from 0 to below 1")
        }
        guard regrowth == 0 || request.granularity == .element else {
            throw .invalidTarget("only single weights regrow, not \(request.granularity.rawValue)")
        }
        self.regrowth = regrowth > 0 ? Regrowth(share: regrowth) : nil
        self.pruner = pruner
        self.request = request
        self.schedule = schedule
        self.held = held
        self.evidence = evidence
    }

    package var identity: String {
        "gradual pruning: \(request.identity) \(schedule)"
            + (regrowth.map { ", regrowth \($0.share)" } ?? "")
    }

    package func trainingWillBegin(_ run: TrainingRun) throws { try prune(run) }

    package func willUpdate(_ run: TrainingRun) {
        if !isSettled { regrowth?.add(run.store.gradients) }
    }

    package func didUpdate(_ run: TrainingRun) throws { try prune(run) }

    private func prune(_ run: TrainingRun) throws {
        let step = run.stepsDone
        guard schedule.prunes(at: step) else { return }
        var current = request
        current.targets = schedule.targets(at: step, final: request.targets)
        let graph = try run.currentGraph()
        var plan = try pruner.plan(
            current, evidence: try evidence(graph), parameters: graph, continuing: self.plan)
        isSettled = step >= schedule.end
        if !isSettled {
            let progress = Double(step - schedule.begin) / Double(schedule.end - schedule.begin)
            plan =
                regrowth?.exchange(
                    plan, masks: run.masks, in: run.store, progress: progress, step: step) ?? plan
        }
        try run.setMasks(try pruner.masks(of: plan).united(with: held))
        self.plan = plan
    }

    package var state: [String: Tensor] {
        guard let plan, let json = try? plan.json() else { return [:] }
        let text = Tensor(shape: [json.count], scalars: Array(json))
        return ["plan": text].merging(regrowth?.state ?? [:]) { $1 }
    }

    package func restore(_ state: [String: Tensor]) throws {
        regrowth?.restore(state)
        guard let bytes = state["plan"] else { return }
        plan = try PrunePlan(json: bytes.withUnsafeBytes { Data($0) })
        // Masks come with the run itself; whether the schedule has ended follows from the targets reached.
        isSettled = zip(plan?.targets ?? [], request.targets).allSatisfy { $0.value == $1.value }
    }
}
