/// Up to a peak and far down again, both along half cosines (Smith & Topin 2019; the form of PyTorch's `OneCycleLR`).
///
/// Momentum is not cycled.
package struct OneCycle: NamedLearningRateSchedule {
    package static let name = "one-cycle"

    package var peak: Double
    /// The share of the steps in which the rate rises.
    package var rise: Double
    /// The peak over the rate of the first step.
    package var initialDivisor: Double
    /// The first step's rate over the last one's.
    package var finalDivisor: Double

    package init(
        peak: Double, rise: Double, initialDivisor: Double = 25, finalDivisor: Double = 1e4
    ) {
        self.peak = peak
        self.rise = rise
        self.initialDivisor = initialDivisor
        self.finalDivisor = finalDivisor
    }

    package init(peak: Double) {
        self.init(peak: peak, rise: 0.3)
    }

    package func rate(at step: Int, of total: Int) -> Double {
        let initial = peak / initialDivisor
        let final = initial / finalDivisor
        let top = rise * Double(total) - 1
        let last = Double(total - 1)
        let now = Double(step)
        if now <= top {
            let position = top > 0 ? now / top : 1
            return CosineAnnealing.interpolate(from: initial, to: peak, at: position)
        }
        return CosineAnnealing.interpolate(from: peak, to: final, at: min(1, (now - top) / (last - top)))
    }
}
