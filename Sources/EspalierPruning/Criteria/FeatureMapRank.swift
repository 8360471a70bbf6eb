import EspalierGraphs

/// The mean rank of a channel's feature maps behind its nonlinearity (HRank).
package struct FeatureMapRank: ChannelCriterion {
    package static let information = CriterionInformation(
        id: "hrank", name: "HRank",
        measures:
            "the mean rank of a channel's feature maps; one forward pass, and per map the cube of its extent",
        misleads:
            "between layers with maps of different sizes, and for linear layers, where a rank is 0 or 1",
        source: "Lin et al. 2020", unit: "rank")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.featureRanks] }

    // A rank is at most the extent of the map, which differs from layer to layer.
    package var groupNormalization: ScoreNormalization { .mean }

    package func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double] {
        try largest(of: [.featureRanks], on: group, scene: scene) { $0[0] }
    }
}
