/// A part of another schedule, for a run that is a part of a longer training.
package struct ScheduleSection: LearningRateSchedule {
    package let whole: any LearningRateSchedule
    /// The shares of the whole training at which the part begins and ends.
    package let begin: Double
    package let end: Double

    /// - Precondition: `0 <= begin < end <= 1`.
    package init(_ whole: any LearningRateSchedule, from begin: Double, to end: Double) {
        precondition(0 <= begin && begin < end && end <= 1)
        self.whole = whole
        self.begin = begin
        self.end = end
    }

    package func rate(at step: Int, of total: Int) -> Double {
        let all = Int((Double(total) / (end - begin)).rounded())
        let first = Int((begin * Double(all)).rounded())
        return whole.rate(at: min(first + step, all - 1), of: all)
    }
}
