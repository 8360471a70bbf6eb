/// The same learning rate throughout.
package struct ConstantRate: NamedLearningRateSchedule {
    package static let name = "constant"

    package var peak: Double

    package init(peak: Double) {
        self.peak = peak
    }

    package func rate(at step: Int, of total: Int) -> Double { peak }
}
