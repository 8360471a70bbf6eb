extension CandidateSet {
    /// The knee of a front of two objectives: the undominated point that is farthest below the chord between the front's two
    /// ends, the best point of either objective (Das 1999, "On characterizing the knee of the Pareto curve").
    ///
    /// Each objective is measured from its best to its worst value on the front, so that the chord runs from (0, 1) to
    /// (1, 0) and a point lies (1 - x - y) / sqrt 2 below it: the knee is the same in all units. Past it, either objective
    /// improves at a worse rate than over the whole front.
    ///
    /// - Returns: the first such point; nil where no point is below the chord, as on concave fronts and straight ones, which
    ///   have no knee. Points that are not finite do not count.
    /// - Throws: ``SearchError/outOfRange(_:value:allowed:)`` unless there are two objectives.
    package func knee() throws(SearchError) -> Int? {
        guard dimension == 2 else {
            throw .outOfRange(
                "the number of objectives of a front with a knee", value: "\(dimension)", allowed: "2")
        }
        let front = undominated().filter { self[$0, 0].isFinite && self[$0, 1].isFinite }
        guard let first = front.min(by: { self[$0, 0] < self[$1, 0] }),
            let last = front.min(by: { self[$0, 1] < self[$1, 1] })
        else { return nil }
        func share(_ point: Int, _ objective: Int, best: Int, worst: Int) -> Double {
            (self[point, objective] - self[best, objective])
                / (self[worst, objective] - self[best, objective])
        }
        var (knee, greatest): (Int?, Double) = (nil, Self.leastBend)
        // Without extent the shares are NaN, and nothing is greater.
        for point in front {
            let depth =
                1 - share(point, 0, best: first, worst: last) - share(point, 1, best: last, worst: first)
            if depth > greatest { (knee, greatest) = (point, depth) }
        }
        return knee
    }

    /// Straight fronts bend by rounding.
    private static let leastBend = 1e-9
}
