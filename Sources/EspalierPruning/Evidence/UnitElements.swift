import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Which elements of which parameters belong to each unit of a group, each named once.
struct UnitElements {
    /// The elements of one parameter.
    struct Part {
        let value: ValueID
        /// For each unit, runs of consecutive elements in row-major order, ascending and apart.
        let runs: [[Range<Int>]]
    }

    let size: Int
    /// In the order of the parameters' identities.
    let parts: [Part]

    /// - Parameters:
    ///   - roles: of the slices that count.
    ///   - shape: of a parameter; nil leaves it out.
    init(_ group: PruningGroup, roles: Set<SliceRole>, shape: (ValueID) -> Shape?) {
        size = group.size
        let counted = group.members.filter { $0.role.map(roles.contains) ?? false }
            .sorted { $0.axis < $1.axis }
        var parts: [Part] = []
        var next = 0
        while next < counted.count {
            let value = counted[next].axis.value
            let end = counted[next...].firstIndex { $0.axis.value != value } ?? counted.count
            if let shape = shape(value) {
                let runs = (0..<group.size).map { unit in
                    Self.joined(counted[next..<end].flatMap { Self.slices($0, unit: unit, shape: shape) })
                }
                parts.append(Part(value: value, runs: runs))
            }
            next = end
        }
        self.parts = parts
    }

    private static func slices(_ member: GroupMember, unit: Int, shape: Shape) -> [Range<Int>] {
        let axis = member.axis.axis
        let inner = shape.strides[axis]
        return member.indices(ofUnit: unit).flatMap { index in
            (0..<shape.count(0..<axis)).map { outer in
                let start = (outer * shape[axis] + index) * inner
                return start..<(start + inner)
            }
        }
    }

    /// Sorted, with neighbours and overlaps joined: a weight on both axes of a unit is one weight.
    private static func joined(_ ranges: [Range<Int>]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound <= last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}
