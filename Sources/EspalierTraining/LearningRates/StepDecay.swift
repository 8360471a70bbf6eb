/// A learning rate that is multiplied by a factor at each of several milestones.
package struct StepDecay: NamedLearningRateSchedule {
    package static let name = "step"

    package var peak: Double
    package var factor: Double
    /// Shares of the training run, ascending, in 0...1.
    package var milestones: [Double]

    package init(peak: Double, factor: Double, milestones: [Double]) {
        self.peak = peak
        self.factor = factor
        self.milestones = milestones
    }

    /// A tenth at half of the run and again at three quarters, as for residual networks (He 2016).
    package init(peak: Double) {
        self.init(peak: peak, factor: 0.1, milestones: [0.5, 0.75])
    }

    package func rate(at step: Int, of total: Int) -> Double {
        var rate = peak
        for milestone in milestones where Double(step) >= milestone * Double(total) { rate *= factor }
        return rate
    }
}
