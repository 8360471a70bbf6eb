/// Points with the same objectives, all minimised, known by their position in the list that they came from.
///
/// They lie one after another in flat memory, since sorting them into fronts compares them many times over.
package struct CandidateSet: Sendable {
    /// The number of objectives.
    package let dimension: Int
    package let count: Int
    private let coordinates: [Double]

    /// - Throws: ``SearchError/outOfRange(_:value:allowed:)`` for no points at all,
    ///   ``SearchError/objectiveCount(found:expected:point:)`` for points of different dimensions.
    package init(_ points: [Objectives]) throws(SearchError) {
        guard let first = points.first else {
            throw .outOfRange("the number of points", value: "0", allowed: "positive")
        }
        dimension = first.values.count
        count = points.count
        for (position, point) in points.enumerated() where point.values.count != dimension {
            throw .objectiveCount(found: point.values.count, expected: dimension, point: position)
        }
        coordinates = points.flatMap(\.values)
    }

    package subscript(point: Int, objective: Int) -> Double { coordinates[point * dimension + objective] }

    /// The objectives of one point.
    package func values(of point: Int) -> ArraySlice<Double> {
        coordinates[point * dimension..<(point + 1) * dimension]
    }

    /// As ``Objectives/dominates(_:)``, of points in the set.
    package func dominates(_ one: Int, _ other: Int) -> Bool {
        isNoWorse(one, than: other) && !isNoWorse(other, than: one)
    }

    /// Whether no objective of the one is above the other's.
    func isNoWorse(_ one: Int, than other: Int) -> Bool {
        for objective in 0..<dimension where self[one, objective] > self[other, objective] { return false }
        return true
    }
}
