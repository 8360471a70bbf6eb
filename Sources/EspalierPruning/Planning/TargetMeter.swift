/// Measures how far a choice of removals gets towards one target.
struct TargetMeter<Removals> {
    /// For errors.
    let target: PruningTarget
    /// What the choice achieves, in the target's own terms.
    let value: (Removals) -> Double
    let isMet: (Removals) -> Bool

    /// - Parameter removed: the number of prunable parameters that a choice removes.
    static func sparsity(_ share: Double, of total: Int, removed: @escaping (Removals) -> Int) -> TargetMeter
    {
        // Rounded up: the target is met, not nearly met. The allowance keeps 0.57 of 100 from becoming 58.
        let needed = Int((share * Double(total) - 1e-9 * Double(total)).rounded(.up))
        return TargetMeter(
            target: .sparsity(share),
            value: { total == 0 ? 0 : Double(removed($0)) / Double(total) }, isMet: { removed($0) >= needed })
    }

    static func maximum(
        _ function: CostFunction, share: Double, dense: Double, cost: @escaping (Removals) -> Double
    ) -> TargetMeter {
        TargetMeter(
            target: .maximum(function, share: share),
            value: { dense == 0 ? 0 : cost($0) / dense },
            // Rounding of a sum over nodes must not cost a channel.
            isMet: { cost($0) <= share * dense * (1 + 1e-12) })
    }
}
