package import EspalierGraphs
package import EspalierTensors
package import EspalierTraining
import Foundation

/// Prunes by a schedule while a network trains: at each step of the schedule it plans anew with the weights of the
/// moment, and masks.
///
/// What was dropped stays dropped, and masks hold through every update in between. A channel plan is masked too
/// (with all coupled slices, so that the network computes what the cut one will); cut it when training is over.
package final class GradualPruning: StepHook {
    /// Measures, on a network with the weights of the moment, what the criterion requires.
    package typealias EvidenceSource = (Graph) throws -> Evidence

    private let pruner: Pruner
    private let request: PruningRequest
    private let schedule: PruningSchedule
    private let evidence: EvidenceSource
    /// What is dropped by now; nil before the first step of the schedule.
    package private(set) var plan: PrunePlan?
    package private(set) var isSettled = false

    /// - Parameters:
    ///   - pruner: of the network that trains.
    ///   - request: the final targets.
    ///   - schedule: in optimiser steps.
    package init(
        _ pruner: Pruner, request: PruningRequest, schedule: PruningSchedule,
        evidence: @escaping EvidenceSource = { _ in .none }
    ) {
        self.pruner = pruner
        self.request = request
        self.schedule = schedule
        self.evidence = evidence
    }

    package var identity: String {
        "gradual pruning: \(request.identity) \(schedule)"
    }

    package func trainingWillBegin(_ run: TrainingRun) throws { try prune(run) }
    package func didUpdate(_ run: TrainingRun) throws { try prune(run) }

    private func prune(_ run: TrainingRun) throws {
        let step = run.stepsDone
        guard schedule.prunes(at: step) else { return }
        var current = request
        current.targets = schedule.targets(at: step, final: request.targets)
        let graph = try run.currentGraph()
        let plan = try pruner.plan(
            current, evidence: try evidence(graph), parameters: graph, continuing: self.plan)
        try run.setMasks(try pruner.masks(of: plan))
        self.plan = plan
        isSettled = step >= schedule.end
    }

    package var state: [String: Tensor] {
        guard let plan, let json = try? plan.json() else { return [:] }
        return ["plan": Tensor(shape: [json.count], scalars: Array(json))]
    }

    package func restore(_ state: [String: Tensor]) throws {
        guard let bytes = state["plan"] else { return }
        plan = try PrunePlan(json: bytes.withUnsafeBytes { Data($0) })
        // Masks come with the run itself; whether the schedule has ended follows from the targets reached.
        isSettled = zip(plan?.targets ?? [], request.targets).allSatisfy { $0.value == $1.value }
    }
}
