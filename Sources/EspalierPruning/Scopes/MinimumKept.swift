/// What every layer keeps at least, however unimportant: no layer is cut away whole.
package struct MinimumKept: Sendable, Hashable, Codable {
    package var count: Int
    /// Share of the layer, 0 to 1.
    package var fraction: Double

    package init(count: Int = 1, fraction: Double = 0) {
        self.count = count
        self.fraction = fraction
    }

    /// The number of `size` things that are kept at least.
    package func kept(of size: Int) -> Int {
        // The small allowance keeps 0.1 of 10 from becoming 2.
        let share = (fraction * Double(size) - 1e-9).rounded(.up)
        return min(size, max(1, count, Int(max(0, min(share, Double(size))))))
    }
}
