import EspalierGraphs
package import EspalierOperators
import EspalierTensors

/// The size of the factor that a normalisation gives a channel: |gamma|.
package struct NormalizationScale: Criterion {
    package static let information = CriterionInformation(
        id: "bn-scale", name: "Batch norm scale",
        measures: "the size of batch norm's factor for a channel, |gamma|; needs no data and costs nothing",
        misleads: "unless gammas were trained to be sparse, and where the next layer undoes the scale",
        source: "Liu et al. 2017", unit: "that of the normalised activations")

    package static let granularities: Set<Granularity.Kind> = [.channel]

    package init(seed: UInt64 = 0) {}

    package var countedRoles: Set<SliceRole> { [.scale] }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        parameter.tensor.scalars(as: Float.self).map(\.magnitude)
    }

    package func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double] {
        guard group.members.contains(where: { $0.role == .scale }) else {
            throw .notScored(
                criterion: Self.information.id, subject: group.id,
                reason: "no batch norm scales its channels")
        }
        return try UnitReduction(self, scene: scene).scores(of: group)
    }
}
