import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
package import EspalierPruning
package import EspalierTensors

/// How long one inference of a network may take after it is pruned, as a share of what it takes before.
///
/// Machines change their pace within seconds, and all that runs on them with it. What one network takes of what another does stays, so
/// everything is a share, and times are measured beside those of the network as it is.
package struct LatencyTarget: Sendable {
    package let profile: LatencyProfile
    private let costs: KernelCostModel

    /// Measures the network as it is; on its lane.
    ///
    /// - Parameters:
    ///   - inputs: of every graph input.
    ///   - check: called now and then; may throw to stop.
    /// - Throws: ``ExecutionError``, and what `check` throws.
    package init(
        for graph: Graph, inputs: [ValueID: Tensor], threads: Int, costs: KernelCostModel,
        check: () throws -> Void = {}
    ) throws {
        self.costs = costs
        profile = try LatencyProfile(graph, inputs: inputs, threads: threads, costs: costs, check: check)
    }

    /// The target for a plan that may take a share of what the network takes, where networks take `correction` times what is
    /// predicted: for copies between layouts, and whatever else is not any layer's own.
    package func target(share: Double, correction: Double = 1) -> PruningTarget {
        .maximum(profile.costFunction, share: max(Self.leastShare, min(1, share / correction)))
    }

    /// A target must be above 0, however much was missed.
    private static let leastShare = 1e-3

    /// Whether a network that takes `measured` meets the target `share`, but for noise; and if so, whether it has nothing to spare.
    package static func isMet(_ share: Double, by measured: Double) -> (isMet: Bool, isTight: Bool) {
        (measured <= 1.02 * share, measured > 0.95 * share)
    }

    /// What one inference of the network before and of the network after takes, in milliseconds, measured by turns.
    ///
    /// - Parameter inputs: of both, by name.
    /// - Throws: ``ExecutionError``.
    package func measure(
        _ before: Graph, _ after: Graph, inputs: [String: Tensor], threads: Int, seconds: Double = 1
    ) throws -> (before: Double, after: Double) {
        let times = try NetworkLatency.milliseconds(
            of: [before, after], inputs: inputs, threads: threads, costs: costs, seconds: seconds)
        return (times[0], times[1])
    }
}
