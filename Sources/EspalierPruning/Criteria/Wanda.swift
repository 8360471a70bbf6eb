import EspalierTensors

/// A weight's size times the norm of what it is multiplied with, compared within an output row.
package struct Wanda: Criterion {
    package static let information = CriterionInformation(
        id: "wanda", name: "Wanda",
        measures:
            "|w| times the norm of its input feature, within each output row; a forward pass and the weights' "
            + "part of a backward pass",
        misleads:
            "between layers, for it takes the same share of every row, and where outputs matter unequally",
        source: "Sun et al. 2023",
        unit: "that of the layer's outputs, times the root of the number of samples")

    package static let comparison = ElementComparison.withinOutputRow

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.inputNorms] }
    package var groupNormalization: ScoreNormalization { .mean }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        if scene.evidence.tensors[.inputNorms] != nil, scene.evidence[.inputNorms][parameter.id] == nil {
            throw .notScored(
                criterion: Self.information.id, subject: parameter.name,
                reason: "it is not multiplied with activations in a way whose gradient is known")
        }
        let norms = try evidence(.inputNorms, for: parameter, scene: scene).scalars(as: Float.self)
        return zip(norms, parameter.tensor.scalars(as: Float.self)).map { $0 * $1.magnitude }
    }
}
