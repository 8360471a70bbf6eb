import Foundation

/// The mean of paired differences with a Student-t interval.
///
/// Two methods that were run with the same seeds are compared seed by seed: what a seed does to both cancels, and the
/// interval is that of the differences. It supposes that differences of seeds are independent and roughly normal; it says
/// nothing on data sets other than the one measured.
package struct PairedInterval: Sendable, Equatable {
    /// The number of pairs, at least 2.
    package let count: Int
    /// The mean difference.
    package let mean: Double
    /// The standard deviation of the differences (divisor n - 1).
    package let standardDeviation: Double
    /// The share of such intervals that cover the true mean.
    package let confidence: Double
    private let distribution: StudentT

    /// - Returns: nil for fewer than two differences, for ones that are not finite, and unless `confidence` lies between
    ///   0 and 1.
    package init?(_ differences: [Double], confidence: Double = 0.95) {
        guard let distribution = StudentT(degreesOfFreedom: differences.count - 1), confidence > 0,
            confidence < 1,
            differences.allSatisfy(\.isFinite)
        else { return nil }
        count = differences.count
        let summary = SampleSummary(differences)
        mean = summary.mean
        standardDeviation = summary.standardDeviation ?? 0
        self.confidence = confidence
        self.distribution = distribution
    }

    /// The differences `first - second` of the seeds that both have.
    ///
    /// - Returns: nil if they share fewer than two.
    package init?(_ first: [UInt64: Double], minus second: [UInt64: Double], confidence: Double = 0.95) {
        // In the order of seeds, so that rounding does not depend on the dictionary.
        let shared = first.keys.filter { second[$0] != nil }.sorted()
        self.init(
            shared.compactMap { seed in first[seed].flatMap { a in second[seed].map { a - $0 } } },
            confidence: confidence)
    }

    /// The standard error of ``mean``.
    package var standardError: Double { standardDeviation / Double(count).squareRoot() }

    /// The two-sided interval's ends.
    package var low: Double { mean - halfWidth }
    package var high: Double { mean + halfWidth }

    package var halfWidth: Double {
        standardError * distribution.quantile(0.5 + confidence / 2)
    }

    /// Whether the interval leaves out zero.
    package var excludesZero: Bool { low > 0 || high < 0 }

    /// The one-sided lower bound of the mean at ``confidence``: above `-margin` means "not worse by more than margin".
    package var lowerBound: Double { mean - standardError * distribution.quantile(confidence) }

    /// The one-sided probability of a mean this high, or higher, if the true one were `value`; 1 if all differences are equal. Accuracies
    /// come in steps, so that a few may well be equal by chance: that shows nothing of how far they spread.
    package func pValue(above value: Double) -> Double {
        guard standardError > 0 else { return 1 }
        return 1 - distribution.cumulativeProbability((mean - value) / standardError)
    }
}

/// Mean and standard deviation of independent values.
package struct SampleSummary: Sendable, Equatable {
    package let count: Int
    package let mean: Double
    /// With divisor n - 1; nil for fewer than two values.
    package let standardDeviation: Double?

    package init(_ values: [Double]) {
        count = values.count
        let total = values.reduce(0, +)
        // Rounding must not let equal values differ from their own mean.
        let mean = Set(values).count == 1 ? values[0] : total / Double(values.count)
        self.mean = mean
        standardDeviation =
            values.count < 2
            ? nil
            : (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }
}

/// Holm's step-down correction of several p-values (Holm 1979): the chance of any false claim among them stays below
/// the level that each is compared with.
package enum HolmCorrection {
    /// The adjusted p-values, in the order given; each is at least the original, and 1 at most.
    package static func adjusted(_ pValues: [Double]) -> [Double] {
        var adjusted = pValues
        var running = 0.0
        let order = pValues.indices.sorted { pValues[$0] < pValues[$1] }
        for (rank, index) in order.enumerated() {
            running = max(running, min(1, Double(pValues.count - rank) * pValues[index]))
            adjusted[index] = running
        }
        return adjusted
    }
}
