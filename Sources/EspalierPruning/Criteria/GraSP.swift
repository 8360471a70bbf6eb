import EspalierTensors

extension EvidenceKind {
    /// Per weight, the product of the Hessian of the mean loss with the mean gradient, H E[g], the logits divided by 200.
    package static let hessianGradientProducts = EvidenceKind(rawValue: "hessianGradientProducts")
}

/// Gradient signal preservation: w (H g), g the mean gradient. What stays keeps the gradient's norm, and so the speed of
/// learning, as large as can be.
///
/// Removing w changes |g|^2 by about -2 w (H g), so a large positive number is kept. (The paper's score is -w (H g), of
/// which the largest are removed.) The sign counts: scores may be negative. Logits are divided by 200, as in the paper, so
/// that the softmax of an untrained network is flat.
package struct GraSP: Criterion {
    package static let information = CriterionInformation(
        id: "grasp", name: "GraSP",
        measures:
            "how much of the gradient's norm would be lost on removal, w (H g); three passes over the data; made for untrained "
            + "networks",
        misleads: "on trained networks, and at low sparsity, where plain magnitude does better",
        source: "Wang et al. 2020", unit: "squared loss per squared weight, halved")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.hessianGradientProducts] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        let products = try evidence(.hessianGradientProducts, for: parameter, scene: scene)
        return zip(products.scalars(as: Float.self), parameter.tensor.scalars(as: Float.self)).map { $0 * $1 }
    }
}
