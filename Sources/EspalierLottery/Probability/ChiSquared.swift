import Foundation

/// The chi-squared distribution.
package enum ChiSquared {
    /// P(X > x) with k degrees of freedom: the regularised upper incomplete gamma function Q(k/2, x/2).
    ///
    /// By its series (DLMF 8.11.4) below the mean, by its continued fraction (DLMF 8.9.2) above, from the front as Lentz
    /// (1976) does.
    package static func upperTail(_ x: Double, degreesOfFreedom k: Int) -> Double {
        guard k > 0, x > 0 else { return 1 }
        guard x.isFinite else { return x.isNaN ? .nan : 0 }
        let (a, z) = (Double(k) / 2, x / 2)
        let front = exp(a * log(z) - z - lgamma(a))
        if z < a + 1 {
            var (term, sum, n) = (1 / a, 1 / a, a)
            while term > sum * .ulpOfOne {
                n += 1
                term *= z / n
                sum += term
            }
            return max(0, 1 - front * sum)
        }
        let tiny = 1e-300
        var b = z + 1 - a
        var (c, d) = (1 / tiny, 1 / b)
        var fraction = d
        for step in 1..<mostSteps {
            let coefficient = -Double(step) * (Double(step) - a)
            b += 2
            d = 1 / nonzero(coefficient * d + b, tiny)
            c = nonzero(b + coefficient / c, tiny)
            fraction *= c * d
            if abs(c * d - 1) < .ulpOfOne { break }
        }
        return min(1, front * fraction)
    }

    /// The x with P(X <= x) = `confidence` for one degree of freedom: what a profile likelihood may fall by, twice.
    ///
    /// - Parameter confidence: between 0 and 1.
    package static func quantile(confidence: Double) -> Double {
        var (low, high) = (0.0, 1500.0)
        for _ in 0..<80 {
            let middle = (low + high) / 2
            // erfc keeps its digits far out.
            if erfc((middle / 2).squareRoot()) > 1 - confidence { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    private static let mostSteps = 10_000

    private static func nonzero(_ value: Double, _ tiny: Double) -> Double {
        abs(value) < tiny ? tiny : value
    }
}
