import EspalierTensors

/// The loss's change to first order if weights were removed: |E[g] w| of one, the size of the sum of E[g] w over many.
///
/// Terms are summed with their signs, so for a unit this is the change when all its slices go together.
package struct FirstOrderTaylor: Criterion {
    package static let information = CriterionInformation(
        id: "taylor", name: "First-order Taylor",
        measures:
            "the change of the mean loss to first order on removal, |E[g] w|; one backward pass over the data",
        misleads: "near a minimum of the loss, where mean gradients vanish and only noise is left to rank",
        source: "Mozer & Smolensky 1988; Molchanov et al. 2019", unit: "loss")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.meanGradients] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        let gradients = try evidence(.meanGradients, for: parameter, scene: scene).scalars(as: Float.self)
        return zip(gradients, parameter.tensor.scalars(as: Float.self)).map { $0 * $1 }
    }

    package func finish(_ reduced: Double) -> Double { reduced.magnitude }
}
