import EspalierTensors

/// Saliency: the mean squared gradient of single samples' losses, the diagonal of the empirical Fisher
/// matrix.
package struct EmpiricalFisher: Criterion {
    package static let information = CriterionInformation(
        id: "saliency", name: "Saliency (empirical Fisher)",
        measures:
            "how strongly single samples' losses react to a weight, E[g^2]; one backward pass over the data",
        misleads: "on data that the network fits perfectly, where all gradients vanish",
        source: "Amari 1998; Theis et al. 2018", unit: "squared loss per squared weight")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.meanSquaredGradients] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        try evidence(.meanSquaredGradients, for: parameter, scene: scene).scalars(as: Float.self)
    }
}
