import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Scores whole units by reducing the contributions of all their elements, each counted once; or, if the scene asks for
/// an aggregation, the elements' scores.
struct UnitReduction<Measure: Criterion> {
    private let criterion: Measure
    private let scene: ScoringScene

    init(_ criterion: Measure, scene: ScoringScene) {
        self.criterion = criterion
        self.scene = scene
    }

    func scores(of group: PruningGroup) throws(PruningError) -> [Double] {
        var totals = [RunningReduction](repeating: RunningReduction(), count: group.size)
        // Members are brought into one order, so that the rounding does not depend on theirs.
        let counted = group.members.filter { $0.role.map(criterion.countedRoles.contains) ?? false }
            .sorted { $0.axis < $1.axis }
        var next = 0
        while next < counted.count {
            let value = counted[next].axis.value
            var end = next + 1
            while end < counted.count, counted[end].axis.value == value { end += 1 }
            if let parameter = scene.parameter(value) {
                let numbers =
                    scene.aggregation == nil
                    ? try criterion.contributions(of: parameter, scene: scene)
                    : try criterion.elementScores(of: parameter, scene: scene)
                add(numbers, shape: parameter.tensor.shape, Array(counted[next..<end]), to: &totals)
            }
            next = end
        }
        let scores = totals.map { total in
            if let aggregation = scene.aggregation { return total.reduced(aggregation) }
            return criterion.finish(total.reduced(criterion.reduction))
        }
        guard !scores.contains(where: \.isNaN) else {
            throw .scoreNotANumber(criterion: Measure.information.id, subject: group.id)
        }
        return scores
    }

    /// Adds one parameter's contributions to the units whose slices they lie in.
    private func add(
        _ contributions: [Float], shape: Shape, _ members: [GroupMember], to totals: inout [RunningReduction]
    ) {
        if members.count == 1 {
            let byIndex = slices(of: contributions, shape: shape, axis: members[0].axis.axis)
            for unit in totals.indices {
                for index in members[0].indices(ofUnit: unit) { totals[unit].add(byIndex[index]) }
            }
            return
        }
        // The same parameter on several axes (a weight used twice): slices of a unit may overlap.
        let strides = shape.strides
        for unit in totals.indices {
            var positions: Set<Int> = []
            for member in members {
                let axis = member.axis.axis
                let inner = strides[axis]
                for index in member.indices(ofUnit: unit) {
                    for outer in 0..<shape.count(0..<axis) {
                        let start = (outer * shape[axis] + index) * inner
                        positions.formUnion(start..<(start + inner))
                    }
                }
            }
            for position in positions.sorted() { totals[unit].add(contributions[position]) }
        }
    }

    /// The reduction of every slice along an axis.
    private func slices(of contributions: [Float], shape: Shape, axis: Int) -> [RunningReduction] {
        var totals = [RunningReduction](repeating: RunningReduction(), count: shape[axis])
        let inner = shape.strides[axis]
        contributions.withUnsafeBufferPointer { contributions in
            var position = 0
            for _ in 0..<shape.count(0..<axis) {
                for index in totals.indices {
                    var total = totals[index]
                    for _ in 0..<inner {
                        total.add(contributions[position])
                        position += 1
                    }
                    totals[index] = total
                }
            }
        }
        return totals
    }
}
