package import EspalierGraphs
import EspalierPruning
import EspalierTensors

/// How much two masks of one weight have in common, beside what chance would give.
package struct MaskOverlap: Sendable, Hashable {
    /// The share of what either keeps that the other keeps too, over the smaller.
    package let shared: Double
    /// What two random masks that keep as many would share, on average.
    package let chance: Double
    /// The standard deviation of that: hypergeometric.
    package let deviation: Double
    /// The correlation of how many elements each input keeps. Unlike the others it does not depend on the order of hidden units,
    /// which means something else in every network; nil where it is not defined.
    package let inputCorrelation: Double?

    /// - Parameter inputAxis: along which inputs lie; nil if that is not known.
    /// - Returns: nil for masks of different shapes, or that keep nothing.
    package init?(_ first: Mask, _ second: Mask, inputAxis: Int?) {
        let (a, b, all) = (first.keptCount, second.keptCount, first.shape.count)
        guard first.shape == second.shape, a > 0, b > 0 else { return nil }
        let both = zip(first.kept, second.kept).count { $0 && $1 }
        let smaller = Double(min(a, b))
        shared = Double(both) / smaller
        let (p, q) = (Double(a) / Double(all), Double(b) / Double(all))
        chance = p * q * Double(all) / smaller
        let variance = all > 1 ? Double(all) * p * q * (1 - p) * (1 - q) * Double(all) / Double(all - 1) : 0
        deviation = variance.squareRoot() / smaller
        inputCorrelation = inputAxis.flatMap { axis in
            Correlation.pearson(
                first.keptCounts(axis: axis).map { Double($0) },
                second.keptCounts(axis: axis).map { Double($0) })
        }
    }
}
