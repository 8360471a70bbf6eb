extension CandidateSet {
    /// The volume of what lies between the points and `reference`: of all that some point is no worse than and that is no
    /// worse than the reference (Zitzler & Thiele 1998). Exact but for rounding.
    ///
    /// A point that is not better than the reference in every objective encloses nothing, and contributes nothing. The
    /// figure depends on the reference and on the objectives' units: it compares sets of points, and must be reported with
    /// its reference.
    ///
    /// - Parameter reference: finite, with as many objectives as the points.
    /// - Throws: ``SearchError``, for any other reference.
    package func hypervolume(reference: Objectives) throws(SearchError) -> Double {
        try boxes(reference).union.maximal().volume
    }

    /// What the hypervolume would lose without each point, in the points' order: the volume that is that point's alone.
    ///
    /// It is 0 for dominated points, for points that have an equal, and for those that do not enclose anything. A dominated
    /// point still takes from the contribution of those that dominate it, since it would stand in for them.
    ///
    /// - Parameter reference: finite, with as many objectives as the points.
    /// - Throws: ``SearchError``, for any other reference.
    package func exclusiveHypervolumes(reference: Objectives) throws(SearchError) -> [Double] {
        let (union, owners) = try boxes(reference)
        var contributions = [Double](repeating: 0, count: count)
        for (box, point) in owners.enumerated() { contributions[point] = union.exclusiveVolume(of: box) }
        return contributions
    }

    /// The boxes that points span with the reference, and which point spans which.
    private func boxes(
        _ reference: Objectives
    ) throws(SearchError) -> (union: BoxUnion, owners: [Int]) {
        guard reference.values.count == dimension else {
            throw .outOfRange(
                "the number of objectives of the reference point", value: "\(reference.values.count)",
                allowed: "\(dimension), as the points have")
        }
        guard reference.values.allSatisfy(\.isFinite) else {
            throw .outOfRange("the reference point", value: "\(reference.values)", allowed: "finite")
        }
        var union = BoxUnion(dimension: dimension)
        var owners: [Int] = []
        for point in 0..<count {
            let extents = zip(reference.values, values(of: point)).map { $0 - $1 }
            guard extents.allSatisfy({ $0 > 0 }) else { continue }
            union.append(extents)
            owners.append(point)
        }
        return (union, owners)
    }
}
