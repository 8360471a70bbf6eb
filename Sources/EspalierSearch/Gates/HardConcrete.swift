import Foundation

/// A value, and its derivative with respect to ln a.
package struct Differentiated: Sendable, Equatable {
    package let value: Double
    package let derivative: Double
}

/// The hard concrete gate (Louizos, Welling & Kingma 2018): a random number in 0...1 that is exactly 0, and exactly 1, with
/// positive probability, yet depends on its parameter ln a so that gradients reach it.
///
/// A uniform u gives s = sigmoid((ln u - ln(1 - u) + ln a) / b), which is stretched to `lower`...`upper` and clipped to 0...1.
/// One gate multiplies one coupled group; the expected number of gates that are not zero is the penalty, in closed form.
package enum HardConcrete {
    /// b, the temperature. It and the ends are those of the paper.
    package static let temperature = 2.0 / 3
    /// gamma.
    package static let lower = -0.1
    /// zeta.
    package static let upper = 1.1
    /// ln(-gamma / zeta): up to there the test-time gate is 0.
    package static let closing = log(-lower / upper)

    /// The gate that `uniform` makes, and its derivative along the path: with `uniform` as it is. It is 0 where the gate is
    /// clipped.
    ///
    /// - Parameter uniform: from 0 to 1, the ends included; they give 0 and 1.
    package static func sample(logAlpha: Double, uniform: Double) -> Differentiated {
        let noise = log(uniform) - log1p(-uniform)
        return stretched((noise + logAlpha) / temperature, slope: 1 / temperature)
    }

    /// The gate of a trained network: the one without noise or temperature, clip(sigmoid(ln a)). It is folded into the
    /// group's weights.
    package static func testGate(logAlpha: Double) -> Differentiated {
        stretched(logAlpha, slope: 1)
    }

    /// P(z > 0) = sigmoid(ln a - b ln(-gamma / zeta)), what a group counts in the penalty.
    package static func probabilityNonzero(logAlpha: Double) -> Differentiated {
        let probability = logistic(logAlpha - threshold)
        return Differentiated(
            value: probability, derivative: probability * logistic(threshold - logAlpha))
    }

    /// b ln(-gamma / zeta).
    private static let threshold = temperature * closing

    /// sigmoid(`argument`), stretched and clipped.
    ///
    /// - Parameter slope: the argument's derivative.
    private static func stretched(_ argument: Double, slope: Double) -> Differentiated {
        let share = logistic(argument)
        let value = share * (upper - lower) + lower
        // Not min and max, which would lose NaN.
        if value <= 0 { return Differentiated(value: 0, derivative: 0) }
        if value >= 1 { return Differentiated(value: 1, derivative: 0) }
        return Differentiated(
            value: value, derivative: (upper - lower) * share * logistic(-argument) * slope)
    }

    /// 1 / (1 + exp(-x)), without overflow: for far negative x, exp(x).
    private static func logistic(_ x: Double) -> Double {
        x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
    }
}
