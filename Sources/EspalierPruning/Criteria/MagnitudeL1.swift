import EspalierTensors

/// The sum of the weights' sizes; for single weights the same as ``Magnitude``.
package struct MagnitudeL1: Criterion {
    package static let information = CriterionInformation(
        id: "magnitude-l1", name: "Magnitude (L1)",
        measures: "the sum of the sizes of the weights; needs no data and costs one look at each",
        misleads:
            "as the L2 norm does; and it takes many small weights for as good as few large",
        source: "Li et al. 2017", unit: "that of the weights")

    package init(seed: UInt64 = 0) {}

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        parameter.tensor.scalars(as: Float.self).map(\.magnitude)
    }

    package var groupNormalization: ScoreNormalization { .mean }
}
