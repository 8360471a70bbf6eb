/// Another schedule, begun by a linear rise to its first rate (Goyal 2017).
package struct LinearWarmUp: LearningRateSchedule {
    /// The share of the run's steps in which the rate rises.
    package var share: Double
    package var following: any LearningRateSchedule

    /// - Precondition: `share` is in 0...1.
    package init(share: Double, then following: any LearningRateSchedule) {
        precondition((0...1).contains(share))
        self.share = share
        self.following = following
    }

    /// Step k of the n of the rise, counted from 0, has (k + 1) / n of the following schedule's first rate; the following
    /// schedule then runs over the remaining steps.
    package func rate(at step: Int, of total: Int) -> Double {
        let rise = Int((share * Double(total)).rounded())
        let remaining = max(total - rise, 1)
        if step < rise {
            return following.rate(at: 0, of: remaining) * Double(step + 1) / Double(rise)
        }
        return following.rate(at: step - rise, of: remaining)
    }
}
