/// How two lists of numbers go together, from -1 to 1.
package enum Correlation {
    /// The linear correlation (Pearson 1895).
    ///
    /// - Returns: nil for fewer than two pairs, or where one list is constant or not finite.
    package static func pearson(_ first: [Double], _ second: [Double]) -> Double? {
        guard first.count == second.count, first.count > 1 else { return nil }
        let count = Double(first.count)
        let (firstMean, secondMean) = (first.reduce(0, +) / count, second.reduce(0, +) / count)
        var (both, left, right) = (0.0, 0.0, 0.0)
        for (one, other) in zip(first, second) {
            both += (one - firstMean) * (other - secondMean)
            left += (one - firstMean) * (one - firstMean)
            right += (other - secondMean) * (other - secondMean)
        }
        // Each root by itself: the product of two small sums would underflow.
        let scale = left.squareRoot() * right.squareRoot()
        guard scale > 0, scale.isFinite else { return nil }
        return max(-1, min(1, both / scale))
    }

    /// The linear correlation of the ranks, ties sharing theirs (Spearman 1904): whether one grows with the other.
    package static func spearman(_ first: [Double], _ second: [Double]) -> Double? {
        guard first.count == second.count, (first + second).allSatisfy({ !$0.isNaN }) else { return nil }
        return pearson(ScoreNormalization.rank.normalized(first), ScoreNormalization.rank.normalized(second))
    }
}
