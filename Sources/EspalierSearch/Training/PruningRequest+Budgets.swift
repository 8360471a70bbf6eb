import EspalierPruning

extension PruningRequest {
    /// The shares of costs that targets leave at most.
    var budgets: [(cost: CostFunction, share: Double)] {
        targets.compactMap { target in
            if case .maximum(let cost, let share) = target { (cost, share) } else { nil }
        }
    }
}
