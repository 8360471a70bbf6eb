#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Half a cosine from the peak down to a final rate (Loshchilov & Hutter 2017, without restarts).
package struct CosineAnnealing: NamedLearningRateSchedule {
    package static let name = "cosine"

    package var peak: Double
    /// Approached after the last step.
    package var final: Double

    package init(peak: Double, final: Double) {
        self.peak = peak
        self.final = final
    }

    package init(peak: Double) {
        self.init(peak: peak, final: 0)
    }

    package func rate(at step: Int, of total: Int) -> Double {
        Self.interpolate(from: peak, to: final, at: Double(step) / Double(max(total, 1)))
    }

    /// The half cosine that is `start` at 0 and `end` at 1.
    static func interpolate(from start: Double, to end: Double, at position: Double) -> Double {
        end + (start - end) / 2 * (1 + cos(.pi * position))
    }
}
