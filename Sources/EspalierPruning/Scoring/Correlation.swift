/// How two lists of numbers go together, from -1 to 1.
package enum Correlation {
    /// The linear correlation (Pearson 1895).
    ///
    /// - Returns: nil for fewer than two pairs, or where one list is constant or not finite.
    package static func pearson(_ first: [Double], _ second: [Double]) -> Double? {
        guard first.count == second.count, first.count > 1 else { return nil }
        let (left, right) = (Self.deviations(of: first), Self.deviations(of: second))
        let (leftSquare, rightSquare) = (Self.product(left, left), Self.product(right, right))
        let scale = (leftSquare * rightSquare).squareRoot()
        guard scale > 0, scale.isFinite else { return nil }
        return max(-1, min(1, Self.product(left, right) / scale))
    }

    /// Distances from the mean, relative to the largest, so that squares neither overflow nor vanish.
    private static func deviations(of numbers: [Double]) -> [Double] {
        let mean = numbers.reduce(0, +) / Double(numbers.count)
        let deviations = numbers.map { $0 - mean }
        let largest = deviations.map(\.magnitude).max() ?? 0
        return largest > 0 ? deviations.map { $0 / largest } : deviations
    }

    private static func product(_ first: [Double], _ second: [Double]) -> Double {
        zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// The linear correlation of the ranks, ties sharing theirs (Spearman 1904): whether one grows with the other.
    package static func spearman(_ first: [Double], _ second: [Double]) -> Double? {
        guard first.count == second.count, (first + second).allSatisfy({ !$0.isNaN }) else { return nil }
        return pearson(ScoreNormalization.rank.normalized(first), ScoreNormalization.rank.normalized(second))
    }
}
