/// A linear scale from data to pixels, with ticks at round numbers.
struct Axis {
    let lower: Double
    let upper: Double
    let step: Double

    private static let largest = 1e150
    /// Closer together than that, numbers count as equal: so differences and ratios are finite, and steps are not zero.
    static let least = 1e-150

    /// Whether a value can be drawn: infinity and NaN cannot, nor can numbers as large as no quantity is.
    static func hasPlace(_ value: Double) -> Bool { abs(value) <= largest }

    /// A scale that covers those of `values` that have a place, widened to multiples of a step of 1, 2 or 5 times a power
    /// of ten (Heckbert 1990).
    init(covering values: [Double], tickCount: Int = 5) {
        let shown = values.filter(Self.hasPlace)
        var low = shown.min() ?? 0
        var high = shown.max() ?? 1
        if high - low < Self.least {
            let margin = abs(low) < Self.least ? 1 : abs(low) * 0.1
            low -= margin
            high += margin
        }
        step = Self.roundStep((high - low) / Double(max(1, tickCount - 1)))
        lower = (low / step).rounded(.down) * step
        upper = (high / step).rounded(.up) * step
    }

    /// A scale from the least of those of `values` that have a place to the largest.
    init(exactly values: [Double]) {
        let shown = values.filter(Self.hasPlace)
        let low = shown.min() ?? 0
        let high = shown.max() ?? 1
        lower = low
        upper = high > low ? high : low + 1
        step = upper - lower
    }

    var ticks: [Double] {
        let count = Int(((upper - lower) / step).rounded())
        return (0...max(0, count)).map { lower + Double($0) * step }
    }

    func position(_ value: Double, from start: Double, to end: Double) -> Double {
        start + (value - lower) / (upper - lower) * (end - start)
    }

    private static func roundStep(_ raw: Double) -> Double {
        var power = 1.0
        while power * 10 <= raw { power *= 10 }
        while power > raw { power /= 10 }
        let fraction = raw / power
        return (fraction <= 1 ? 1 : fraction <= 2 ? 2 : fraction <= 5 ? 5 : 10) * power
    }
}
