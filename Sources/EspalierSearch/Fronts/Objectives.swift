/// What one candidate achieves: two or more objectives, all minimised.
///
/// An objective may be +infinity, that of a run which diverged. NaN has no order, and minus infinity leaves nothing to
/// improve and no finite volume: both are refused.
package struct Objectives: Hashable, Sendable {
    package let values: [Double]

    /// - Throws: ``SearchError/outOfRange(_:value:allowed:)`` for fewer than two values,
    ///   ``SearchError/notComparable(objective:value:)`` for NaN and minus infinity.
    package init(_ values: [Double]) throws(SearchError) {
        guard values.count >= 2 else {
            throw .outOfRange("the number of objectives", value: "\(values.count)", allowed: "at least 2")
        }
        if let objective = values.firstIndex(where: { $0.isNaN || $0 == -.infinity }) {
            throw .notComparable(objective: objective, value: values[objective])
        }
        self.values = values
    }

    /// No worse in all objectives and better in one (Pareto 1896): equal points do not dominate each other.
    ///
    /// - Precondition: both have as many objectives.
    package func dominates(_ other: Objectives) -> Bool {
        precondition(values.count == other.values.count)
        var isBetter = false
        for (own, others) in zip(values, other.values) {
            if own > others { return false }
            if own < others { isBetter = true }
        }
        return isBetter
    }
}
