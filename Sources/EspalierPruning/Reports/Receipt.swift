package import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// What pruning did: for every layer what was asked, what was done, and what was refused and why.
package struct Receipt: Sendable, Codable, Hashable {
    package static let schemaVersion = 1

    package var schemaVersion = Receipt.schemaVersion
    package var granularity: Granularity
    package var criterion: String
    package var scope: String
    package var targets: [Target]
    /// Share of the parameters of the whole network that is gone: cut out, or zero.
    package var achievedSparsity: Double
    /// Share that is gone of the prunable parameters: of the weights that took part or, for channels, of the parameters
    /// that a group which took part goes through. 0 if there are none.
    package var prunableSparsity: Double
    package var before: ModelSummary.Totals
    package var after: ModelSummary.Totals
    package var layers: [Layer]

    package struct Target: Sendable, Codable, Hashable {
        /// "sparsity", "max-macs", "max-parameters" or another cost.
        package var kind: String
        package var requested: Double
        /// In the same terms; absent for costs that only the planner knew.
        package var achieved: Double?
    }

    package struct Layer: Sendable, Codable, Hashable {
        package var name: String
        package var op: String
        package var weight: String
        /// The groups of channels that its outputs belong to; empty for other granularities than channels.
        package var groups: [String]
        /// Share that the scope asked of it; absent where it took no part.
        package var requested: Double?
        /// Share of its weights, or output channels, that is gone.
        package var achieved: Double
        /// Why less than was asked, or nothing, was done.
        package var refused: String?
        package var before: ModelSummary.Totals
        package var after: ModelSummary.Totals
    }

    /// How many layers did less than asked or took no part.
    package var refusedCount: Int { layers.count { $0.refused != nil } }
}

extension Pruner {
    /// The receipt for a plan.
    ///
    /// - Parameter pruned: the network that came of it, after training if there was any.
    /// - Throws: ``PruningError``.
    package func receipt(
        for plan: PrunePlan, after pruned: Graph, costs: [CostFunction] = []
    ) throws(PruningError) -> Receipt {
        let before = ModelSummary(resolved)
        let network = try resolve(pruned)
        let after = ModelSummary(network)
        var writer = ReceiptWriter(pruner: self, plan: plan, before: before, after: after)
        for cost in costs {
            writer.shares[PruningTarget.maximum(cost, share: 1).kind] = keptShare(
                of: cost, in: network, by: plan)
        }
        let layers = try writer.layers()
        let gone = Double(before.totals.parameters - after.totals.nonzero)
        return Receipt(
            granularity: plan.granularity, criterion: plan.criterion, scope: plan.scope,
            targets: try writer.targets(),
            achievedSparsity: before.totals.parameters == 0
                ? 0 : gone / Double(before.totals.parameters),
            prunableSparsity: try writer.sparsityOfPrunable(),
            before: before.totals, after: after.totals, layers: layers)
    }

    /// What the pruned network has left of a cost, 0 to 1.
    private func keptShare(
        of cost: CostFunction, in pruned: ResolvedGraph, by plan: PrunePlan
    ) -> Double {
        let model = CostModel(cost, resolved)
        guard model.denseCost > 0 else { return 0 }
        guard plan.granularity != .channel else { return CostModel(cost, pruned).denseCost / model.denseCost }
        let nonzeros = Dictionary(
            groups.layers.map { ($0.weight, pruned.graph.constants[$0.weight]?.nonzeroCount ?? 0) },
            uniquingKeysWith: { first, _ in first })
        return model.cost(nonzeros: nonzeros) / model.denseCost
    }
}
