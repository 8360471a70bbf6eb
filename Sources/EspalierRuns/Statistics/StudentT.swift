import Foundation

/// Student's t distribution with a whole number of degrees of freedom.
///
/// The probability is a finite sum then (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), so neither a gamma function
/// nor a library is needed.
package struct StudentT: Sendable, Equatable {
    /// At least 1.
    package let degreesOfFreedom: Int

    /// - Returns: nil unless there is a degree of freedom.
    package init?(degreesOfFreedom: Int) {
        guard degreesOfFreedom >= 1 else { return nil }
        self.degreesOfFreedom = degreesOfFreedom
    }

    /// P(|T| <= t) for t >= 0. Takes time proportional to the degrees of freedom.
    package func centralProbability(_ t: Double) -> Double {
        guard t.isFinite else { return t.isNaN ? .nan : 1 }
        let ratio = abs(t) / Double(degreesOfFreedom).squareRoot()
        let angle = atan(ratio)
        // cos^2 and sin of the angle, without the angle's rounding.
        let cosineSquared = 1 / (1 + ratio * ratio)
        let sine = ratio * cosineSquared.squareRoot()
        var sum = 0.0
        if degreesOfFreedom.isMultiple(of: 2) {
            var term = 1.0
            for index in stride(from: 1, to: degreesOfFreedom, by: 2) {
                sum += term
                term *= cosineSquared * Double(index) / Double(index + 1)
            }
            return min(1, sine * sum)
        }
        var term = cosineSquared.squareRoot()
        for index in stride(from: 2, to: degreesOfFreedom, by: 2) {
            sum += term
            term *= cosineSquared * Double(index) / Double(index + 1)
        }
        return min(1, 2 / .pi * (angle + sine * sum))
    }

    /// P(T <= t).
    package func cumulativeProbability(_ t: Double) -> Double {
        0.5 + 0.5 * (t < 0 ? -1 : 1) * centralProbability(t)
    }

    /// The t that T stays below with probability `probability`, to about ten digits.
    ///
    /// - Parameter probability: between 0 and 1; infinite at the ends.
    package func quantile(_ probability: Double) -> Double {
        guard probability > 0, probability < 1 else {
            return probability == 0 ? -.infinity : probability == 1 ? .infinity : .nan
        }
        guard probability != 0.5 else { return 0 }
        let central = abs(2 * probability - 1)
        var (low, high) = (0.0, 1.0)
        while centralProbability(high) < central, high < 1e15 { (low, high) = (high, 2 * high) }
        // Bisection to the last bit: no derivative that could mislead it, and some 60 sums are nothing.
        while true {
            let middle = low + (high - low) / 2
            guard middle > low, middle < high else { break }
            if centralProbability(middle) < central { low = middle } else { high = middle }
        }
        return probability < 0.5 ? -high : high
    }
}
