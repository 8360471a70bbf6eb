import Foundation

/// The exact confidence interval of a probability of which `successes` of `trials` independent trials are known (Clopper &
/// Pearson 1934). It covers the truth at least as often as stated, for every probability and number of trials.
package struct BinomialInterval: Sendable, Equatable {
    package let estimate: Double
    package let lower: Double
    package let upper: Double

    /// - Throws: ``RedundancyError/outOfRange(_:value:allowed:)`` unless 0 <= `successes` <= `trials`, `trials` > 0 and
    ///   `confidence` is between 0 and 1.
    package init(successes: Int, trials: Int, confidence: Double) throws(RedundancyError) {
        guard trials > 0, (0...trials).contains(successes) else {
            throw .outOfRange(
                "the number of successes", value: "\(successes) of \(trials)", allowed: "0...trials")
        }
        guard confidence > 0, confidence < 1 else {
            throw .outOfRange("the confidence", value: "\(confidence)", allowed: "between 0 and 1")
        }
        let (x, n) = (Double(successes), Double(trials))
        let tail = (1 - confidence) / 2
        estimate = x / n
        // P(X >= x) = I_p(x, n - x + 1) grows with p; at the lower end it is `tail`, and P(X <= x) at the upper.
        lower = successes == 0 ? 0 : Self.bisect { IncompleteBeta.regularized($0, x, n - x + 1) < tail }
        upper =
            successes == trials
            ? 1 : Self.bisect { IncompleteBeta.regularized(1 - $0, n - x, x + 1) > tail }
    }

    package func contains(_ probability: Double) -> Bool { (lower...upper).contains(probability) }

    /// Where `isBelow` turns false.
    private static func bisect(_ isBelow: (Double) -> Bool) -> Double {
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if isBelow(middle) { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}

/// The regularised incomplete beta function.
enum IncompleteBeta {
    /// I_x(a, b) for 0 <= x <= 1 and positive a, b, by its continued fraction (DLMF 8.17.22), evaluated from the front as
    /// Lentz (1976) does. It converges fast on the side of the mean that is used; the other follows by symmetry.
    static func regularized(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        guard x <= (a + 1) / (a + b + 2) else { return 1 - regularized(1 - x, b, a) }
        let logFront = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x) - log(a)
        // Stands for a zero denominator.
        let tiny = 1e-300
        func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var (fraction, c, d) = (1.0, 1.0, 0.0)
        for step in 0..<Self.mostSteps {
            let m = Double(step / 2)
            let coefficient: Double
            if step == 0 {
                coefficient = 1
            } else if step % 2 == 0 {
                coefficient = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            } else {
                coefficient = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            }
            d = 1 / nonzero(1 + coefficient * d)
            c = nonzero(1 + coefficient / c)
            fraction *= c * d
            if abs(c * d - 1) < 1e-15 { break }
        }
        return exp(logFront) * (fraction - 1)
    }

    /// Needed are about the square root of max(a, b).
    private static let mostSteps = 200_000
}
