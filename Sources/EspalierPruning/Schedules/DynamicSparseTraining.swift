import EspalierExecution
import EspalierGraphs
package import EspalierTensors
package import EspalierTraining
import Foundation

/// Trains at a fixed number of weights whose places change: now and then some of the smallest are exchanged for dropped ones,
/// those with the largest gradients (RigL, Evci et al. 2020) or any (SET, Mocanu et al. 2018).
///
/// Begun from a trained network, the first weights are those that the request's criterion keeps.
package final class DynamicSparseTraining: StepHook {
    private let pruner: Pruner
    private let request: PruningRequest
    private let longestInterval: Int
    private var regrowth: Regrowth
    private let evidence: Evidence.Source
    /// Nil before the first step.
    package private(set) var plan: PrunePlan?
    package private(set) var isSettled = false

    /// The share of training after which places stay as they are: that of RigL.
    package static let exchangingShare = 0.75
    private static let fewestExchanges = 10.0

    /// - Parameters:
    ///   - longestInterval: steps from one exchange to the next, less in trainings in which there would be fewer than 10 exchanges.
    ///   - share: of the kept weights of a layer exchanged at first, above 0 and below 1.
    ///   - seed: of random growth.
    /// - Throws: ``PruningError/invalidTarget(_:)`` if anything but single weights is to grow.
    package init(
        _ pruner: Pruner, request: PruningRequest, longestInterval: Int = 100, share: Double = 0.3,
        growth: Regrowth.Growth, seed: UInt64, evidence: @escaping Evidence.Source = { _ in .none }
    ) throws(PruningError) {
        guard request.granularity == .element else {
            throw .invalidTarget("only single weights regrow, not \(request.granularity.rawValue)")
        }
        guard longestInterval > 0, share > 0, share < 1 else {
            throw .invalidTarget(
                "the share that regrows must be above 0 and below 1, and an interval positive")
        }
        self.pruner = pruner
        self.request = request
        self.longestInterval = longestInterval
        regrowth = Regrowth(share: share, growth: growth, seed: seed)
        self.evidence = evidence
    }

    package var identity: String {
        "dynamic sparse training: \(request.identity), \(regrowth.growth) (seed \(regrowth.seed)), \(regrowth.share) every \(longestInterval) steps at most"
    }

    package func trainingWillBegin(_ run: TrainingRun) throws {
        let graph = try run.currentGraph()
        let plan = try pruner.plan(request, evidence: try evidence(graph), parameters: graph)
        try run.setMasks(try pruner.masks(of: plan))
        self.plan = plan
    }

    package func willUpdate(_ run: TrainingRun) {
        if !isSettled { regrowth.add(run.store.gradients) }
    }

    package func didUpdate(_ run: TrainingRun) throws {
        let (step, end) = (run.stepsDone, Self.exchangingShare * Double(run.totalSteps))
        isSettled = Double(step) >= end
        let interval = min(longestInterval, max(1, Int(end / Self.fewestExchanges)))
        guard !isSettled, step.isMultiple(of: interval), let plan else { return }
        let changed = regrowth.exchange(
            plan, masks: run.masks, in: run.store, progress: Double(step) / end, step: step)
        try run.setMasks(try pruner.masks(of: changed))
        self.plan = changed
    }

    package var state: [String: Tensor] {
        guard let plan, let json = try? plan.json() else { return [:] }
        return ["plan": Tensor(shape: [json.count], scalars: Array(json))].merging(regrowth.state) { $1 }
    }

    package func restore(_ state: [String: Tensor]) throws {
        regrowth.restore(state)
        guard let bytes = state["plan"] else { return }
        plan = try PrunePlan(json: bytes.withUnsafeBytes { Data($0) })
    }
}
