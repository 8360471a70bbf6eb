import Foundation

/// The shares that cost least for what they save of the targets: a knapsack problem.
///
/// The others take the targets as a mark to stop at. This one looks for the combination of shares that meets them with the
/// least damage in sum, by prices for what targets count (``AllocationSearch``; Everett 1963): a channel
/// that saves much goes before one that saves little and matters as little. With a latency that is predicted in steps, as
/// kernels fill registers, it stops on a step.
///
/// The damage of a layer is -log of the share of its importance that is left: nothing gets through a layer of which
/// nothing is left, however small its scores are, and layers need no common scale. Its slope is the score of the layer-adaptive
/// magnitude (Lee et al. 2021), which removal in the order of that score therefore descends, whatever removals save.
package struct KnapsackScope: Scope {
    package static let information = ScopeInformation(
        id: "knapsack",
        explanation: "removes where least importance is lost for what it saves of the targets",
        source: "Shen et al. 2022; Lee et al. 2021; Everett 1963")

    /// The shares found, by the names that planners use.
    private var shares: [String: Double] = [:]

    package init() {}

    /// With the shares that were found: targets are then met exactly, in proportion to them.
    init(_ shares: [SensitivityAllocator.Share]) {
        self.shares = Dictionary(uniqueKeysWithValues: shares.map { ($0.id, $0.sparsity) })
    }

    package func key(removed: Double, score: Double, in layer: ScopedLayer) -> Double {
        AllocationScope.key(removed: removed, of: layer, share: shares[layer.name] ?? 0)
    }

    /// - Parameters:
    ///   - left: the sum of the scores that are left, of `total`.
    static func damage(left: Double, of total: Double) -> Double {
        // What rounding leaves of nothing is nothing.
        total > 0 ? (left > 1e-9 * total ? -log(left / total) : .infinity) : 0
    }
}
