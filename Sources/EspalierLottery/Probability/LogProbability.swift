import Foundation

/// Probabilities by their logarithms, exact where the probability itself, or its distance from 1, is no longer a number
/// that a double can hold.
enum LogProbability {
    /// ln(1 - e^x) for x <= 0, by whichever of two forms does not cancel (Mächler 2012).
    static func complement(_ x: Double) -> Double {
        x > -ln2 ? log(-expm1(x)) : log1p(-exp(x))
    }

    /// ln(-ln(1 - e^x)) for x <= 0: the complementary log-log of a probability that is given by its logarithm.
    ///
    /// Below 2^-53 a probability and -ln(1 - p) are the same double, so that nothing underflows.
    static func complementaryLogLog(_ x: Double) -> Double {
        x < negligible ? x : log(-complement(x))
    }

    /// ln(1 - exp(-e^y)): the inverse of ``complementaryLogLog(_:)``.
    static func inverseComplementaryLogLog(_ y: Double) -> Double {
        y < negligible ? y : complement(-exp(y))
    }

    private static let ln2 = 0.693_147_180_559_945_3
    /// ln 2^-54, about.
    private static let negligible = -37.5
}
