/// How unevenly a quantity is spread: 0 if all have the same, 1 - 1/n if one of n has everything (Gini 1912).
///
/// Half the mean absolute difference of two members, relative to the mean. Scale does not matter.
package enum GiniCoefficient {
    /// - Returns: nil where it makes no sense: nothing, a negative number or one that is not finite, or all zero.
    package static func of(_ amounts: [Double]) -> Double? {
        guard !amounts.isEmpty, amounts.allSatisfy({ $0 >= 0 && $0.isFinite }) else { return nil }
        let count = Double(amounts.count)
        var (total, weighted) = (0.0, 0.0)
        for (place, amount) in amounts.sorted().enumerated() {
            total += amount
            weighted += (2 * Double(place + 1) - count - 1) * amount
        }
        return total > 0 && total.isFinite ? weighted / (count * total) : nil
    }
}
