import Foundation

/// The largest removal rate q at which all groups survive with a wanted probability.
package enum LargestRate {
    /// The largest q with prod_i (1 - q^m_i) >= 1 - `risk`: in closed form where all groups are equal, else by bisection.
    ///
    /// - Parameter risk: d, the probability of losing a group that is put up with.
    /// - Throws: ``RedundancyError/outOfRange(_:value:allowed:)`` unless `risk` is in 0...1.
    package static func of(_ groups: GroupSizes, risk: Double) throws(RedundancyError) -> Double {
        let distinct = groups.distinct
        return try distinct.count == 1
            ? ofEqualGroups(count: distinct[0].count, size: distinct[0].size, risk: risk)
            : bisected(groups, risk: risk)
    }

    /// The largest q with prod_i (1 - q^m_i) >= 1 - `risk`, by bisection.
    ///
    /// Survival falls as q grows, and doubles from 0 to 1 are ordered as their bit patterns are: halving those finds the
    /// last double that is safe in at most 62 steps, with small q as exact as large.
    ///
    /// - Parameter risk: d, the probability of losing a group that is put up with.
    /// - Throws: ``RedundancyError/outOfRange(_:value:allowed:)`` unless `risk` is in 0...1.
    package static func bisected(_ groups: GroupSizes, risk: Double) throws(RedundancyError) -> Double {
        try check(risk)
        // q^m of a q that is not 0 may be less than any double.
        guard risk > 0 else { return 0 }
        let least = log1p(-risk)
        func isSafe(_ bits: UInt64) throws(RedundancyError) -> Bool {
            try IndependentRemoval(groups, rate: Double(bitPattern: bits)).logSurvival >= least
        }
        var (safe, unsafe) = (Double(0).bitPattern, Double(1).bitPattern)
        if try isSafe(unsafe) { return 1 }
        while unsafe - safe > 1 {
            let middle = safe + (unsafe - safe) / 2
            if try isSafe(middle) { safe = middle } else { unsafe = middle }
        }
        return Double(bitPattern: safe)
    }

    /// (1 - (1 - d)^(1/G))^(1/m): the same for G groups of m units each, in closed form.
    ///
    /// - Throws: ``RedundancyError/outOfRange(_:value:allowed:)`` unless `risk` is in 0...1 and both counts are positive.
    package static func ofEqualGroups(
        count: Int, size: Int, risk: Double
    ) throws(RedundancyError) -> Double {
        try check(risk)
        guard count > 0, size > 0 else {
            throw .outOfRange(
                "the number or size of groups", value: "\(min(count, size))", allowed: "positive")
        }
        // Not minus zero.
        guard risk > 0 else { return 0 }
        return pow(-expm1(log1p(-risk) / Double(count)), 1 / Double(size))
    }

    private static func check(_ risk: Double) throws(RedundancyError) {
        guard (0...1).contains(risk) else {
            throw .outOfRange("the risk d", value: "\(risk)", allowed: "between 0 and 1")
        }
    }
}
