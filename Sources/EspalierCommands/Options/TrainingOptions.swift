import ArgumentParser
import EspalierTraining

/// How a network is trained: options of every command that does.
struct TrainingOptions<Use: TrainingUse>: ParsableArguments {
    @Option(help: ArgumentHelp("Samples in a step; without it \(Use.batchSize).", valueName: "n"))
    var batchSize: Int?

    @Option(help: "What turns gradients into steps.")
    var optimizer = OptimizerName(type: AdamW.self)

    @Option(
        help: ArgumentHelp(
            "Momentum of sgd, from 0 to below 1; without it \(StochasticGradientDescent.usualMomentum).",
            valueName: "share"))
    var momentum: Double?

    @Flag(help: "Nesterov's momentum for sgd in place of heavy-ball.")
    var nesterov = false

    @Option(
        help: ArgumentHelp("Highest learning rate; without it \(Use.learningRates).", valueName: "rate"))
    var learningRate: Double?

    @Option(
        help: ArgumentHelp(
            "Epochs, or a part of one, in which the learning rate first rises from 0 linearly.",
            valueName: "epochs"))
    var warmUp: Double?

    @Option(help: ArgumentHelp("Decay of weights, not of biases and norms.", valueName: "rate"))
    var weightDecay: Double = 0

    @Option(help: ArgumentHelp("Share of each target that goes to all classes alike.", valueName: "share"))
    var labelSmoothing: Double = 0

    @Option(
        help: ArgumentHelp("Largest norm of the gradient; larger ones are scaled down.", valueName: "norm"))
    var clip: Double?

    @Option(help: ArgumentHelp("Augmentation: random shifts by up to so many pixels.", valueName: "pixels"))
    var shift: Int = 0

    @Flag(help: "Augmentation: random horizontal flips.")
    var flip = false

    func validate() throws {
        guard batchSize.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--batch-size must be positive")
        }
        guard learningRate.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw ValidationError("--learning-rate must be positive")
        }
        guard momentum.map({ (0..<1).contains($0) }) ?? true else {
            throw ValidationError("--momentum must be from 0 to below 1")
        }
        guard usesMomentum || (momentum == nil && !nesterov) else {
            throw ValidationError("--momentum and --nesterov are for --optimizer sgd")
        }
        guard !nesterov || momentum != 0 else {
            throw ValidationError("--nesterov needs a momentum: leave out --momentum 0")
        }
        guard warmUp.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw ValidationError("--warm-up must be positive")
        }
        guard (0..<1).contains(labelSmoothing) else {
            throw ValidationError("--label-smoothing must be from 0 to below 1")
        }
        guard weightDecay >= 0, shift >= 0 else {
            throw ValidationError("--weight-decay and --shift must not be negative")
        }
        guard clip.map({ $0 > 0 }) ?? true else { throw ValidationError("--clip must be positive") }
    }

    /// Refuses a warm-up that has no effect, or that leaves nothing of a training.
    ///
    /// - Parameter schedule: of the learning rate.
    func check(epochs: Int, schedule: RateScheduleName) throws {
        guard let warmUp else { return }
        guard schedule.takesWarmUp else {
            throw ValidationError(
                "--warm-up is for schedules that begin at their highest learning rate: \(schedule.type.name) rises by itself"
            )
        }
        guard warmUp < Double(epochs) else {
            throw ValidationError("--warm-up must be below the number of epochs, \(epochs)")
        }
    }

    /// As they are given on a command line, those that are not the defaults.
    var arguments: [String] {
        var arguments: [String] = []
        if let batchSize { arguments += ["--batch-size", "\(batchSize)"] }
        if optimizer.type != AdamW.self { arguments += ["--optimizer", optimizer.type.name] }
        if let momentum { arguments += ["--momentum", "\(momentum)"] }
        if nesterov { arguments.append("--nesterov") }
        if let learningRate { arguments += ["--learning-rate", "\(learningRate)"] }
        if let warmUp { arguments += ["--warm-up", "\(warmUp)"] }
        if weightDecay != 0 { arguments += ["--weight-decay", "\(weightDecay)"] }
        if labelSmoothing != 0 { arguments += ["--label-smoothing", "\(labelSmoothing)"] }
        if let clip { arguments += ["--clip", "\(clip)"] }
        if shift != 0 { arguments += ["--shift", "\(shift)"] }
        return flip ? arguments + ["--flip"] : arguments
    }

    /// - Parameter schedule: of the learning rate; one that rises by itself has no warm-up.
    func recipe(
        epochs: Int, schedule: RateScheduleName, dataset: Dataset, common: ResultOptions<some StoreUse>
    ) -> TrainingRecipe {
        let loss: any Loss =
            if case .targets = dataset.labels { MeanSquaredError() } else {
                CrossEntropy(labelSmoothing: labelSmoothing)
            }
        return TrainingRecipe(
            epochs: epochs, batchSize: batchSize ?? Use.batchSize,
            optimizer: configuredOptimizer, schedule: learningRates(schedule, epochs: epochs), loss: loss,
            seed: common.seed, augmentation: Augmentation(largestShift: shift, flipsHorizontally: flip),
            maximumGradientNorm: clip, threads: common.threads)
    }

    private var usesMomentum: Bool { optimizer.type == StochasticGradientDescent.self }

    /// The optimizer with the hyperparameters that are given.
    private var configuredOptimizer: any Optimizer {
        guard usesMomentum else { return optimizer.type.init(weightDecay: weightDecay) }
        return StochasticGradientDescent(
            momentum: momentum ?? StochasticGradientDescent.usualMomentum, isNesterov: nesterov,
            weightDecay: weightDecay)
    }

    /// The schedule of that name up to the highest learning rate, after the warm-up if there is one.
    private func learningRates(_ name: RateScheduleName, epochs: Int) -> any LearningRateSchedule {
        let schedule = name.type.init(peak: learningRate ?? Use.learningRate(of: optimizer.type))
        guard let warmUp, name.takesWarmUp else { return schedule }
        return LinearWarmUp(share: warmUp / Double(epochs), then: schedule)
    }
}

/// An optimizer, as an option.
struct OptimizerName: ExpressibleByArgument {
    let type: any Optimizer.Type

    init(type: any Optimizer.Type) { self.type = type }

    init?(argument: String) {
        guard let type = Optimizers.named(argument) else { return nil }
        self.type = type
    }

    var defaultValueDescription: String { type.name }
    static var allValueStrings: [String] { Optimizers.all.map { $0.name } }
}

/// A schedule of the learning rate, as an option.
struct RateScheduleName: ExpressibleByArgument {
    let type: any NamedLearningRateSchedule.Type

    init(type: any NamedLearningRateSchedule.Type) { self.type = type }

    init?(argument: String) {
        guard let type = LearningRates.named(argument) else { return nil }
        self.type = type
    }

    /// Whether it begins at its highest learning rate, to which a warm-up can rise.
    var takesWarmUp: Bool { type != OneCycle.self }

    var defaultValueDescription: String { type.name }
    static var allValueStrings: [String] { LearningRates.all.map { $0.name } }
}
