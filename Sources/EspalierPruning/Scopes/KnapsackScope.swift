/// What is least important in sum for what it weighs in the targets: the knapsack problem.
///
/// The others take the targets as a mark to stop at. This one looks for the combination of shares that meets them with the
/// least sum of scores removed, by prices for what targets count (``AllocationSearch``; Everett 1963): a channel
/// that saves much goes before one that saves little and matters as little. With a latency that is predicted in steps, as
/// kernels fill registers, it stops on a step.
package struct KnapsackScope: Scope {
    package static let information = ScopeInformation(
        id: "knapsack", explanation: "removes what matters least in sum for what it saves of the targets",
        source: "Shen et al. 2022; Everett 1963")

    package init() {}

    /// Only decides between equals: planners turn it into an ``AllocationScope``.
    package func key(removed: Double, score: Double, in layer: ScopedLayer) -> Double { score }
}
