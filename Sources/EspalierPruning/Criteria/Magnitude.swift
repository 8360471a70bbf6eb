import EspalierTensors

/// The size of the weights: |w| of one, the Euclidean norm of many.
package struct Magnitude: Criterion {
    package static let information = CriterionInformation(
        id: "magnitude", name: "Magnitude (L2)",
        measures: "the Euclidean norm of the weights; needs no data and costs one look at each",
        misleads: "where normalisation makes a weight's size meaningless, and for inputs of unequal size",
        source: "Han et al. 2015; Li et al. 2017", unit: "that of the weights")

    package init(seed: UInt64 = 0) {}

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        parameter.tensor.scalars(as: Float.self).map { $0 * $0 }
    }

    package func finish(_ reduced: Double) -> Double { reduced.squareRoot() }

    package var groupNormalization: ScoreNormalization { .mean }

    // Squares of small weights would underflow in single precision; alone, the size itself is at hand.
    package func elementScores(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        try magnitudes(of: parameter, criterion: Self.information.id)
    }
}

/// The sizes of a parameter's elements.
func magnitudes(of parameter: ScoredParameter, criterion: String) throws(PruningError) -> [Float] {
    let sizes = parameter.tensor.scalars(as: Float.self).map(\.magnitude)
    guard !sizes.contains(where: \.isNaN) else {
        throw .scoreNotANumber(criterion: criterion, subject: parameter.name)
    }
    return sizes
}
