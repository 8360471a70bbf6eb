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
        guard reference.values.count == dimension else {
            throw .outOfRange(
                "the number of objectives of the reference point", value: "\(reference.values.count)",
                allowed: "\(dimension), as the points have")
        }
        guard reference.values.allSatisfy(\.isFinite) else {
            throw .outOfRange("the reference point", value: "\(reference.values)", allowed: "finite")
        }
        // The boxes that points span with the reference.
        var union = BoxUnion(dimension: dimension)
        for point in 0..<count {
            let extents = zip(reference.values, values(of: point)).map { $0 - $1 }
            if extents.allSatisfy({ $0 > 0 }) { union.append(extents) }
        }
        return union.maximal().volume
    }
}
