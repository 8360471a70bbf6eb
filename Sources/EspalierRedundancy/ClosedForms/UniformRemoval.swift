import Foundation

/// Exactly k of n units are removed, every choice of k being equally likely; a group fails when all its units are gone.
///
/// The number of removed units in a group is hypergeometric, and groups are not independent: what is taken from one is not
/// taken from another.
package struct UniformRemoval: Sendable {
    package let groups: GroupSizes
    /// The number k of units removed.
    package let removed: Int

    /// - Throws: ``RedundancyError/outOfRange(_:value:allowed:)`` unless 0 <= `removed` <= the number of units.
    package init(_ groups: GroupSizes, removed: Int) throws(RedundancyError) {
        guard (0...groups.unitCount).contains(removed) else {
            throw .outOfRange(
                "the number of removed units", value: "\(removed)",
                allowed: "between 0 and \(groups.unitCount)")
        }
        self.groups = groups
        self.removed = removed
    }

    /// C(n - m, k - m) / C(n, k): that a group of `size` units fails; 0 where k < m.
    ///
    /// The ratio is m factors (k - i) / (n - i) or, since it is symmetric in the group and the removed units' complement,
    /// n - k factors (n - m - i) / (n - i): the fewer are multiplied. Where both are many it is taken by log-gamma, whose
    /// rounding grows with n but is far below what so many factors would add up to.
    package func failureProbability(size m: Int) -> Double {
        let (n, k) = (groups.unitCount, removed)
        guard m <= k else { return 0 }
        let (factors, top) = m <= n - k ? (m, k) : (n - k, n - m)
        if factors > Self.mostFactors { return exp(Self.logFailure(units: n, removed: k, size: m)) }
        return (0..<factors).reduce(1) { $0 * (Double(top - $1) / Double(n - $1)) }
    }

    private static let mostFactors = 10_000

    /// ln C(n - m, k - m) - ln C(n, k) by log-gamma; needs m <= k <= n.
    package static func logFailure(units n: Int, removed k: Int, size m: Int) -> Double {
        logFactorial(n - m) - logFactorial(k - m) + logFactorial(k) - logFactorial(n)
    }

    private static func logFactorial(_ n: Int) -> Double { lgamma(Double(n) + 1) }

    /// sum_i C(n - m_i, k - m_i) / C(n, k): how many groups fail in the mean.
    package var expectedFailures: Double {
        groups.distinct.reduce(0) { $0 + Double($1.count) * failureProbability(size: $1.size) }
    }

    /// [z^k] prod_i ((1 + z)^m_i - z^m_i) / C(n, k): that no group fails.
    ///
    /// Scaling z by p/(1 - p) and every factor by (1 - p)^m makes its coefficients binomial probabilities and the divisor
    /// one too. With p = k/n that divisor is the largest of its distribution, so that nothing overflows or vanishes, and
    /// since no term is negative nothing cancels. Takes about n k steps.
    package var survivalProbability: Double {
        let (n, k) = (groups.unitCount, removed)
        // A group stays only if one of its units does.
        guard n - k >= groups.sizes.count else { return 0 }
        guard k > 0 else { return 1 }
        let p = Double(k) / Double(n)
        var factors: [Int: [Double]] = [:]
        // Coefficients of z^0...z^k of the product so far.
        var product = [1.0]
        for size in groups.sizes {
            let factor = factors[size] ?? Array(Self.binomial(size, p).dropLast())
            factors[size] = factor
            var next = [Double](repeating: 0, count: min(product.count + factor.count - 1, k + 1))
            for (i, one) in product.enumerated() where one > 0 {
                for j in 0..<min(factor.count, next.count - i) { next[i + j] += one * factor[j] }
            }
            product = next
        }
        guard product.count > k else { return 0 }
        return min(1, product[k] / Self.binomial(n, p)[k])
    }

    /// The probabilities of 0...n successes in n trials: by ratios outward from the likeliest, which is what keeps small
    /// ones exact, then scaled to sum to 1.
    private static func binomial(_ n: Int, _ p: Double) -> [Double] {
        let mode = min(n, Int(Double(n + 1) * p))
        let odds = p / (1 - p)
        var values = [Double](repeating: 0, count: n + 1)
        values[mode] = 1
        for i in stride(from: mode, to: n, by: 1) {
            values[i + 1] = values[i] * (Double(n - i) / Double(i + 1)) * odds
        }
        for i in stride(from: mode, to: 0, by: -1) {
            values[i - 1] = values[i] * (Double(i) / Double(n - i + 1)) / odds
        }
        let sum = values.reduce(0, +)
        return values.map { $0 / sum }
    }
}
