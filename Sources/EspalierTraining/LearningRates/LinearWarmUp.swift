/// Another schedule, begun by a linear rise to its first rate (Goyal 2017).
package struct LinearWarmUp: LearningRateSchedule {
    /// The number of steps of the rise; at most the whole run.
    package var steps: Int
    package var following: any LearningRateSchedule

    package init(steps: Int, then following: any LearningRateSchedule) {
        self.steps = steps
        self.following = following
    }

    /// Step k of the rise, counted from 0, has (k + 1) / steps of the following schedule's first rate; the following
    /// schedule then runs over the remaining steps.
    package func rate(at step: Int, of total: Int) -> Double {
        let rise = min(steps, total)
        let remaining = max(total - rise, 1)
        if step < rise {
            return following.rate(at: 0, of: remaining) * Double(step + 1) / Double(rise)
        }
        return following.rate(at: step - rise, of: remaining)
    }
}
