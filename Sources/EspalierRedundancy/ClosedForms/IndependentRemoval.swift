import Foundation

/// Every unit is removed with probability q, independently of the others; a group fails when all its units are gone.
///
/// All logarithms are taken of numbers near 1 by their distance from 1, so that q^m of 1e-300 over a million groups still
/// counts.
package struct IndependentRemoval: Sendable {
    package let groups: GroupSizes
    /// The probability q of removing a unit.
    package let rate: Double

    /// - Throws: ``RedundancyError/outOfRange(_:value:allowed:)`` unless `rate` is in 0...1.
    package init(_ groups: GroupSizes, rate: Double) throws(RedundancyError) {
        guard (0...1).contains(rate) else {
            throw .outOfRange("the removal rate q", value: "\(rate)", allowed: "between 0 and 1")
        }
        self.groups = groups
        self.rate = rate
    }

    /// q^m: that a group of `size` units fails.
    package func failureProbability(size: Int) -> Double {
        pow(rate, Double(size))
    }

    /// ln prod_i (1 - q^m_i); minus infinity at q = 1.
    package var logSurvival: Double {
        groups.distinct.reduce(0) { $0 + Double($1.count) * log1p(-failureProbability(size: $1.size)) }
    }

    /// prod_i (1 - q^m_i): that no group fails.
    package var survivalProbability: Double { exp(logSurvival) }

    /// sum_i q^m_i: how many groups fail in the mean.
    package var expectedFailures: Double {
        groups.distinct.reduce(0) { $0 + Double($1.count) * failureProbability(size: $1.size) }
    }
}
