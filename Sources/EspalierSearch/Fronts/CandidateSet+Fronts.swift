extension CandidateSet {
    /// The points that no point dominates, in ascending order; of equal ones, which do not dominate each other, all.
    ///
    /// In lexicographic order a point can only be dominated by earlier ones. n log n comparisons for two objectives; for
    /// more, n^2 when all points are on the front.
    package func undominated() -> [Int] {
        var front: [Int] = []
        for point in lexicographicOrder() where !isDominated(point, by: front) { front.append(point) }
        return front.sorted()
    }

    /// By the first objective, ties by the second, and so on; equal points by position.
    private func lexicographicOrder() -> [Int] {
        (0..<count).sorted { one, other in
            for objective in 0..<dimension where self[one, objective] != self[other, objective] {
                return self[one, objective] < self[other, objective]
            }
            return one < other
        }
    }

    /// Whether `front`, earlier points in lexicographic order that do not dominate each other, has one that dominates.
    private func isDominated(_ point: Int, by front: [Int]) -> Bool {
        // With two objectives the second one falls along the front: only the last member can dominate. With more, late
        // members are the likelier ones, being nearer in the first objective.
        if dimension == 2 { return front.last.map { dominates($0, point) } ?? false }
        return front.reversed().contains { dominates($0, point) }
    }
}
