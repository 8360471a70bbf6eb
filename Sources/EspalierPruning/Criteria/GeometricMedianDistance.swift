import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// The sum of a filter's distances to the other filters (FPGM): one close to all others, near their geometric median,
/// can be replaced by them.
///
/// A unit's filter is all that produces it: the slices of every producer of the group, end to end.
package struct GeometricMedianDistance: ChannelCriterion {
    package static let information = CriterionInformation(
        id: "fpgm", name: "FPGM",
        measures:
            "the sum of a filter's distances to the layer's other filters; needs no data, compares all pairs",
        misleads:
            "where filters of small norm lie far from the others, and scaling of single filters changes it",
        source: "He et al. 2019", unit: "that of the weights, times the number of filters")

    package init(seed: UInt64 = 0) {}

    package var groupNormalization: ScoreNormalization { .mean }

    package func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double] {
        let filters = filters(of: group, scene: scene)
        guard let length = filters.first?.count, length > 0 else {
            throw .notScored(
                criterion: Self.information.id, subject: group.id, reason: "no weight produces its channels")
        }
        var scores = [Double](repeating: 0, count: filters.count)
        for first in filters.indices {
            for second in (first + 1)..<max(first + 1, filters.count) {
                let distance = Self.distance(filters[first], filters[second])
                scores[first] += distance
                scores[second] += distance
            }
        }
        guard !scores.contains(where: \.isNaN) else {
            throw .scoreNotANumber(criterion: Self.information.id, subject: group.id)
        }
        return scores
    }

    private static func distance(_ first: [Float], _ second: [Float]) -> Double {
        var sum = 0.0
        for index in 0..<min(first.count, second.count) {
            let difference = Double(first[index] - second[index])
            sum += difference * difference
        }
        return sum.squareRoot()
    }

    /// For each unit its producers' elements, in the order of the members' axes.
    private func filters(of group: PruningGroup, scene: ScoringScene) -> [[Float]] {
        var filters = [[Float]](repeating: [], count: group.size)
        for member in group.members.sorted(by: { $0.axis < $1.axis }) where member.role == .producer {
            guard let parameter = scene.parameter(member.axis.value) else { continue }
            let (shape, axis) = (parameter.tensor.shape, member.axis.axis)
            let inner = shape.strides[axis]
            let scalars = parameter.tensor.scalars(as: Float.self)
            for unit in filters.indices {
                for index in member.indices(ofUnit: unit) {
                    for outer in 0..<shape.count(0..<axis) {
                        let start = (outer * shape[axis] + index) * inner
                        filters[unit] += scalars[start..<(start + inner)]
                    }
                }
            }
        }
        return filters
    }
}
