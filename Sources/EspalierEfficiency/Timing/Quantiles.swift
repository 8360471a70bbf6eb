/// The middle and the spread of measurements.
package struct Quantiles: Sendable, Equatable {
    package let median: Double
    /// A tenth of the measurements lie below, a tenth above.
    package let tenth: Double
    package let ninetieth: Double

    /// - Precondition: there is a measurement.
    package init(of values: [Double]) {
        let sorted = values.sorted()
        median = Self.quantile(0.5, ofSorted: sorted)
        tenth = Self.quantile(0.1, ofSorted: sorted)
        ninetieth = Self.quantile(0.9, ofSorted: sorted)
    }

    /// The value below which that share of the measurements lies, interpolated linearly between neighbours (definition 7
    /// of Hyndman & Fan 1996).
    ///
    /// - Precondition: `sorted` ascends and is not empty; `share` is between 0 and 1.
    package static func quantile(_ share: Double, ofSorted sorted: [Double]) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
        return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
    }
}
