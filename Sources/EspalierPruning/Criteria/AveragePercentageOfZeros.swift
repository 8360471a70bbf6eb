import EspalierGraphs

/// One less the average percentage of zeros (APoZ) of a channel behind its nonlinearity.
package struct AveragePercentageOfZeros: ChannelCriterion {
    package static let information = CriterionInformation(
        id: "apoz", name: "1 - APoZ",
        measures:
            "the share of a channel's activations that are not exactly zero; one forward pass over the data",
        misleads: "for functions without a flat zero (leaky ReLU, GELU), where all channels look alike",
        source: "Hu et al. 2016", unit: "share of activations")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.zeroShares] }

    package func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double] {
        try largest(of: [.zeroShares], on: group, scene: scene) { 1 - $0[0] }
    }
}
