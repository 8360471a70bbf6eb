import EspalierTensors

/// Uniform random scores: what any criterion must beat.
package struct RandomScores: Criterion {
    package static let information = CriterionInformation(
        id: "random", name: "Random",
        measures: "nothing: uniform random numbers from the seed, the baseline for all others",
        misleads: "never, it makes no claim", source: "baseline", unit: "none")

    private let source: RandomSource

    package init(seed: UInt64) {
        source = RandomSource(seed: seed).split("random criterion")
    }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        // A stream per parameter: what one draws does not depend on which others there are.
        var stream = source.split("parameter \(parameter.name)")
        return (0..<parameter.tensor.count).map { _ in Float(stream.uniform()) }
    }

    /// A number per unit: sums over many elements would differ by size only.
    package func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double] {
        var stream = source.split("group \(group.id)")
        return (0..<group.size).map { _ in stream.uniform() }
    }
}
