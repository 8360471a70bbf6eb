import Foundation

/// The mean of paired differences with a Student-t interval.
///
/// Two methods that were run with the same seeds are compared seed by seed: what a seed does to both cancels, and the
/// interval is that of the differences. It supposes that differences of seeds are independent and roughly normal; it says
/// nothing on data sets other than the one measured.
///
/// Differences that are all equal have no interval: copies of one run tell nothing of how far others would spread, and
/// accuracies come in steps, so that a few may well be equal by chance.
package struct PairedInterval: Sendable, Equatable {
    /// The number of pairs, at least 2.
    package let count: Int
    /// The mean difference.
    package let mean: Double
    /// The standard deviation of the differences (divisor n - 1); 0 where they differ by no more than rounding.
    package let standardDeviation: Double
    /// The share of such intervals that cover the true mean.
    package let confidence: Double
    private let distribution: StudentT

    /// - Returns: nil for fewer than two differences, for ones that are not finite, and unless `confidence` lies between
    ///   0 and 1.
    package init?(_ differences: [Double], confidence: Double = 0.95) {
        self.init(differences, rounding: 0, confidence: confidence)
    }

    /// The differences `first - second` of the seeds that both have.
    ///
    /// - Returns: nil if they share fewer than two.
    package init?(_ first: [UInt64: Double], minus second: [UInt64: Double], confidence: Double = 0.95) {
        // In the order of seeds, so that rounding does not depend on the dictionary.
        let shared = first.keys.filter { second[$0] != nil }.sorted()
        let pairs = shared.compactMap { seed in first[seed].flatMap { a in second[seed].map { (a, $0) } } }
        // Each side is off by half a unit in its last place, and so is what is left of them.
        let largest = pairs.reduce(0.0) { max($0, abs($1.0), abs($1.1)) }
        self.init(pairs.map { $0.0 - $0.1 }, rounding: 4 * largest.ulp, confidence: confidence)
    }

    /// - Parameter rounding: differences that lie no further apart are equal.
    private init?(_ differences: [Double], rounding: Double, confidence: Double) {
        guard let distribution = StudentT(degreesOfFreedom: differences.count - 1), confidence > 0,
            confidence < 1, differences.allSatisfy(\.isFinite),
            let least = differences.min(), let largest = differences.max()
        else { return nil }
        count = differences.count
        let summary = SampleSummary(differences)
        mean = summary.mean
        standardDeviation = largest - least > rounding ? summary.standardDeviation ?? 0 : 0
        self.confidence = confidence
        self.distribution = distribution
    }

    /// The two-sided interval's ends; nil where all differences are equal.
    package var low: Double? { halfWidth.map { mean - $0 } }
    package var high: Double? { halfWidth.map { mean + $0 } }

    private var halfWidth: Double? {
        standardError > 0 ? standardError * distribution.quantile(0.5 + confidence / 2) : nil
    }

    /// The standard error of ``mean``.
    private var standardError: Double { standardDeviation / Double(count).squareRoot() }

    /// The one-sided probability of a mean this high, or higher, if the true one were `value`; 1 where all differences are
    /// equal.
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
