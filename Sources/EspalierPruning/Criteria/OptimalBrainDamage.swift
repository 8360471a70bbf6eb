import EspalierTensors

/// The loss's growth to second order if a weight were removed: 1/2 w^2 h, h the diagonal of the Gauss-Newton matrix.
///
/// h is the exact curvature of the loss with the network taken as linear in its weights: for cross-entropy the sum over
/// classes that is also the true Fisher diagonal, for squared error the squared Jacobian. It differs from squared Taylor,
/// w^2 E[g^2], where labels and the network disagree: E[g^2] grows with the residuals and vanishes with them, although the
/// curvature does not. Cross terms are left out, so scores of a unit's weights are added as if they did not interact.
package struct OptimalBrainDamage: Criterion {
    package static let information = CriterionInformation(
        id: "obd", name: "Optimal brain damage",
        measures:
            "the growth of the loss to second order on removal, 1/2 w^2 h with the exact Gauss-Newton diagonal h; one backward "
            + "pass for each class",
        misleads:
            "where weights act together, for it takes them one by one; and far from a minimum of the loss",
        source: "LeCun et al. 1990; Martens 2020", unit: "loss")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.fisherDiagonal] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        let curvature = try evidence(.fisherDiagonal, for: parameter, scene: scene).scalars(as: Float.self)
        return zip(curvature, parameter.tensor.scalars(as: Float.self)).map { 0.5 * $1 * $1 * $0 }
    }
}
