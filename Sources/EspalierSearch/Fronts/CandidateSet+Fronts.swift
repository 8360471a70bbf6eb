extension CandidateSet {
    /// The points by rank: the undominated, then those undominated once the first are gone, and so on. Positions ascend
    /// within a front. Equal points do not dominate each other and share a front.
    ///
    /// By efficient non-dominated sorting with binary search (Zhang, Tian, Cheng & Jin 2015): in lexicographic order a point
    /// can only be dominated by earlier ones, and the fronts that dominate it are the first few. n log n comparisons for two
    /// objectives; for more, n^2 when all points are on one front.
    package func fronts() -> [[Int]] {
        var fronts: [[Int]] = []
        for point in lexicographicOrder() {
            var (rank, end) = (0, fronts.count)
            while rank < end {
                let middle = (rank + end) / 2
                if isDominated(point, by: fronts[middle]) { rank = middle + 1 } else { end = middle }
            }
            if rank == fronts.count { fronts.append([]) }
            fronts[rank].append(point)
        }
        return fronts.map { $0.sorted() }
    }

    /// The points that no point dominates, in ascending order; of equal ones all.
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
