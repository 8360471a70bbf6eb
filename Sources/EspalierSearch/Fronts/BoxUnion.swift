/// A union of boxes which all have one corner in the origin and the opposite one at positive coordinates, their extents.
///
/// The hypervolume of points is the volume of such a union: subtracted from the reference, points become extents.
struct BoxUnion {
    let dimension: Int
    private(set) var count = 0
    private var extents: [Double] = []

    init(dimension: Int) {
        self.dimension = dimension
    }

    mutating func append(_ box: [Double]) {
        extents += box
        count += 1
    }

    subscript(box: Int, axis: Int) -> Double { extents[box * dimension + axis] }

    /// The volume of the union: sweeps in two and three dimensions, slices in more.
    var volume: Double {
        switch dimension {
        case 2: planarVolume
        case 3: spatialVolume
        default: slicedVolume
        }
    }

    /// The boxes that no other contains, of equal ones one.
    func maximal() -> BoxUnion {
        // In descending lexicographic order a box can only be contained in earlier ones.
        let order = (0..<count).sorted { one, other in
            for axis in 0..<dimension where self[one, axis] != self[other, axis] {
                return self[one, axis] > self[other, axis]
            }
            return false
        }
        var kept: [Int] = []
        for box in order where !kept.reversed().contains(where: { contains($0, box) }) {
            kept.append(box)
        }
        var result = BoxUnion(dimension: dimension)
        for box in kept { result.append((0..<dimension).map { self[box, $0] }) }
        return result
    }

    /// Whether the one reaches at least as far as the other along all axes.
    private func contains(_ one: Int, _ other: Int) -> Bool {
        for axis in 0..<dimension where self[one, axis] < self[other, axis] { return false }
        return true
    }

    /// What `box` has outside of `others`, in the space of the first `axes` axes: its own volume less that of its overlaps
    /// with the others, which are boxes of the same kind, with the smaller extent along each axis.
    private func exclusiveVolume(of box: Int, among others: some Collection<Int>, axes: Int) -> Double {
        var overlaps = BoxUnion(dimension: axes)
        for other in others { overlaps.append((0..<axes).map { min(self[box, $0], self[other, $0]) }) }
        let own = (0..<axes).reduce(1) { $0 * self[box, $1] }
        // The sweeps pass over contained boxes by themselves; slicing would take each apart.
        return max(0, own - (axes > 3 ? overlaps.maximal() : overlaps).volume)
    }

    /// The volume in four dimensions and more, as the walking fish group computes it (While, Bradstreet & Barone 2012): the
    /// sum over boxes of what each has outside of those that come after it.
    ///
    /// The boxes are taken by ascending last extent. Those that come after one then overlap it along the whole of that
    /// extent, which is a common factor: what remains has a dimension less. Exponential in the dimension at worst.
    private var slicedVolume: Double {
        let last = dimension - 1
        let order = (0..<count).sorted { self[$0, last] < self[$1, last] }
        return order.enumerated().reduce(0) { sum, next in
            let (place, box) = next
            return sum
                + self[box, last] * exclusiveVolume(of: box, among: order[(place + 1)...], axes: last)
        }
    }
}
