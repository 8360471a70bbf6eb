import EspalierGraphs
import EspalierTensors

/// A criterion with a score of its own for each channel, not made of scores of its weights.
package protocol ChannelCriterion: Criterion {}

extension ChannelCriterion {
    package static var granularities: Set<Granularity.Kind> { [.channel] }

    /// - Throws: always ``PruningError/granularity(criterion:_:known:)``.
    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        throw .granularity(criterion: Self.information.id, .element, known: Self.granularities)
    }

    /// For each unit of a group what `score` makes of the evidence on it: the largest over the values at which its
    /// channels are watched, since a unit that matters behind one nonlinearity matters.
    ///
    /// - Parameter score: from the evidence of each of `kinds`, measured at one value.
    /// - Throws: ``PruningError/missingEvidence(criterion:kind:parameter:)`` if nothing was measured,
    ///   ``PruningError/notScored(criterion:subject:reason:)`` if nothing was for this group.
    func largest(
        of kinds: [EvidenceKind], on group: PruningGroup, scene: ScoringScene, _ score: ([Double]) -> Double
    ) throws(PruningError) -> [Double] {
        for kind in kinds where scene.evidence.tensors[kind] == nil {
            throw .missingEvidence(criterion: Self.information.id, kind: kind, parameter: group.id)
        }
        var scores: [Double]?
        for member in group.activations {
            let numbers = kinds.compactMap { kind -> [Double]? in
                guard let tensor = scene.evidence[kind][member.axis.value],
                    tensor.shape.rank > member.axis.axis, tensor.shape[member.axis.axis] == tensor.count
                else { return nil }
                return tensor.scalars(as: Double.self)
            }
            guard numbers.count == kinds.count else { continue }
            let here = (0..<group.size).map { unit -> Double in
                // All channels of a unit carry the unit's figure.
                guard let index = member.indices(ofUnit: unit).first else { return 0 }
                return score(numbers.map { $0[index] })
            }
            scores = scores.map { zip($0, here).map(max) } ?? here
        }
        guard let scores else {
            throw .notScored(
                criterion: Self.information.id, subject: group.id,
                reason: "its channels could not be watched anywhere")
        }
        guard !scores.contains(where: \.isNaN) else {
            throw .scoreNotANumber(criterion: Self.information.id, subject: group.id)
        }
        return scores
    }
}
