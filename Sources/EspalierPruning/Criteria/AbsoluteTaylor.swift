import EspalierTensors

extension EvidenceKind {
    /// Per parameter element, the mean over samples of the size of one sample's gradient, E[|g|].
    package static let meanAbsoluteGradients = EvidenceKind(rawValue: "meanAbsoluteGradients")
    /// Per unit, E[|sum over the unit's weights of g w|].
    package static let meanAbsoluteUnitTerms = EvidenceKind(rawValue: "meanAbsoluteUnitTerms")
}

/// The change of single samples' losses to first order if weights were removed: E[|g w|], over a unit E[|sum of g w|].
///
/// Unlike ``FirstOrderTaylor`` it does not vanish at a minimum of the loss, where samples pull in opposite directions.
/// A unit's terms are summed within each sample, before the size is taken, over its producer's and its consumers' slices.
/// That is not what multiplying an activation a with its gradient gives: for one consumer a dL/da is the consumer slice's
/// sum alone. Behind a ReLU and without a bias the producer slice's sum is the same number, so that the sum over
/// both is twice a dL/da; with a bias b it is a dL/da less b times b's gradient.
package struct AbsoluteTaylor: Criterion {
    package static let information = CriterionInformation(
        id: "taylor-absolute", name: "First-order Taylor (absolute)",
        measures:
            "the change of single samples' losses to first order on removal, E[|g w|]; a pass for each sample by itself, "
            + "which is slow",
        misleads: "where a few odd samples have gradients much larger than the others'",
        source: "Molchanov et al. 2017", unit: "loss")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.meanAbsoluteGradients, .meanAbsoluteUnitTerms] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        let sizes = try evidence(.meanAbsoluteGradients, for: parameter, scene: scene)
        return zip(sizes.scalars(as: Float.self), parameter.tensor.scalars(as: Float.self)).map {
            $0 * $1.magnitude
        }
    }

    package func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double] {
        guard let scores = scene.evidence.units[.meanAbsoluteUnitTerms]?[group.id],
            scores.count == group.size
        else {
            throw .missingEvidence(
                criterion: Self.information.id, kind: .meanAbsoluteUnitTerms, parameter: group.id)
        }
        guard !scores.contains(where: \.isNaN) else {
            throw .scoreNotANumber(criterion: Self.information.id, subject: group.id)
        }
        return scores
    }
}
