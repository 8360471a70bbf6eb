import EspalierTensors

extension EvidenceKind {
    /// Per parameter element, E_x sum_k (dy_k / dw)^2 over the network's outputs y (logits, if it ends in a softmax).
    package static let squaredJacobian = EvidenceKind(rawValue: "squaredJacobian")
    /// An unbiased estimate of ``squaredJacobian``: E_x E_v (d(v . y) / dw)^2 over random sign vectors v.
    package static let probedSquaredJacobian = EvidenceKind(rawValue: "probedSquaredJacobian")
}

/// How far the outputs move with a weight: sqrt(E_x sum_k (dy_k / dw)^2), the norm of a column of the Jacobian.
package struct OutputSensitivity: Criterion {
    package static let information = CriterionInformation(
        id: "sensitivity", name: "Output sensitivity",
        measures:
            "how far the outputs move with a weight, the root of E[sum of (dy_k / dw)^2]; needs no labels; one backward pass "
            + "for each output",
        misleads: "where outputs move without changing the decision, for it does not look at the loss",
        source: "Zurada et al. 1994", unit: "output per weight")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.squaredJacobian] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        try evidence(.squaredJacobian, for: parameter, scene: scene).scalars(as: Float.self)
    }

    package func finish(_ reduced: Double) -> Double { reduced.squareRoot() }
}

/// ``OutputSensitivity`` from random probes: E_v (v . dy/dw)^2 = sum_k (dy_k / dw)^2 for independent random signs v.
///
/// Only the square is unbiased: the root of a noisy number is too small in the mean. The order of weights is what counts,
/// and the root does not change it. How many probes: ``EvidenceContext/probeCount``, 8 unless said otherwise.
package struct ProbedSensitivity: Criterion {
    package static let information = CriterionInformation(
        id: "sensitivity-probed", name: "Output sensitivity (probed)",
        measures:
            "as sensitivity, estimated from 8 random combinations of the outputs; 8 backward passes however many outputs",
        misleads: "with few samples, and its root is a little too small: only the square is unbiased",
        source: "Hutchinson 1989", unit: "output per weight")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.probedSquaredJacobian] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        try evidence(.probedSquaredJacobian, for: parameter, scene: scene).scalars(as: Float.self)
    }

    package func finish(_ reduced: Double) -> Double { reduced.squareRoot() }
}
