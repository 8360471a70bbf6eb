/// The learning rate as a function of how far training has come.
///
/// The description that Swift derives from a schedule's stored properties identifies it in checkpoints: a run resumes
/// only under the schedule that it began with.
package protocol LearningRateSchedule: Sendable {
    /// The learning rate of a step.
    ///
    /// - Parameters:
    ///   - step: counted from 0, below `total`.
    ///   - total: the number of steps of the whole training run, at least 1.
    func rate(at step: Int, of total: Int) -> Double
}

/// A schedule that can be chosen by name: one file with one conforming struct, plus one line in ``LearningRates``.
package protocol NamedLearningRateSchedule: LearningRateSchedule {
    static var name: String { get }

    /// With the usual settings and this learning rate at its highest.
    init(peak: Double)
}

/// All schedules that can be chosen by name, one line each.
package enum LearningRates {
    package static let all: [any NamedLearningRateSchedule.Type] = [
        ConstantRate.self,
        StepDecay.self,
        CosineAnnealing.self,
        OneCycle.self,
    ]

    /// The schedule called `name`, or nil.
    package static func named(_ name: String) -> (any NamedLearningRateSchedule.Type)? {
        all.first { $0.name == name }
    }
}
