import EspalierGraphs

/// How often a unit fires: P(z > 0), z being what its nonlinearity reads.
///
/// Of N samples it fires in k, at any position of its map, and at the share s of all samples and positions; the score is
/// (k + s) / (N + 1). For a unit of a single position s is k / N, and so is the score, P(z > 0). Of units with maps
/// those that fire in more samples come first, and s decides among those that fire in equally many.
package struct FiringProbability: ChannelCriterion {
    package static let information = CriterionInformation(
        id: "firing", name: "Firing probability",
        measures:
            "how often a channel's pre-activation is above zero, P(z > 0); one forward pass over the data",
        misleads:
            "for units that fire seldom and then matter, and for leaky functions, which pass on all they read",
        source: "after Hu et al. 2016", unit: "share of samples")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.firingSamples, .firingShares] }

    package func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double] {
        let count = Double(max(1, scene.evidence.sampleCount))
        return try largest(of: [.firingSamples, .firingShares], on: group, scene: scene) {
            (count * $0[0] + $0[1]) / (count + 1)
        }
    }
}
