import ArgumentParser
import EspalierTraining

/// How a network is trained: options of every command that does.
struct TrainingOptions<Use: TrainingUse>: ParsableArguments {
    @Option(help: ArgumentHelp("Samples in a step; without it \(Use.batchSize).", valueName: "n"))
    var batchSize: Int?

    @Option(help: "What turns gradients into steps.")
    var optimizer = OptimizerName(type: AdamW.self)

    @Option(
        help: ArgumentHelp("Highest learning rate; without it \(Use.learningRates).", valueName: "rate"))
    var learningRate: Double?

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
        guard (0..<1).contains(labelSmoothing) else {
            throw ValidationError("--label-smoothing must be from 0 to below 1")
        }
        guard weightDecay >= 0, shift >= 0 else {
            throw ValidationError("--weight-decay and --shift must not be negative")
        }
        guard clip.map({ $0 > 0 }) ?? true else { throw ValidationError("--clip must be positive") }
    }

    /// As they are given on a command line, those that are not the defaults.
    var arguments: [String] {
        var arguments: [String] = []
        if let batchSize { arguments += ["--batch-size", "\(batchSize)"] }
        if optimizer.type != AdamW.self { arguments += ["--optimizer", optimizer.type.name] }
        if let learningRate { arguments += ["--learning-rate", "\(learningRate)"] }
        if weightDecay != 0 { arguments += ["--weight-decay", "\(weightDecay)"] }
        if labelSmoothing != 0 { arguments += ["--label-smoothing", "\(labelSmoothing)"] }
        if let clip { arguments += ["--clip", "\(clip)"] }
        if shift != 0 { arguments += ["--shift", "\(shift)"] }
        return flip ? arguments + ["--flip"] : arguments
    }

    /// - Parameter schedule: of the learning rate.
    func recipe(
        epochs: Int, schedule: RateScheduleName, dataset: Dataset, common: ResultOptions<some StoreUse>
    ) -> TrainingRecipe {
        let rate = learningRate ?? Use.learningRate(of: optimizer.type)
        let loss: any Loss =
            if case .targets = dataset.labels { MeanSquaredError() } else {
                CrossEntropy(labelSmoothing: labelSmoothing)
            }
        return TrainingRecipe(
            epochs: epochs, batchSize: batchSize ?? Use.batchSize,
            optimizer: optimizer.type.init(weightDecay: weightDecay),
            schedule: schedule.type.init(peak: rate), loss: loss, seed: common.seed,
            augmentation: Augmentation(largestShift: shift, flipsHorizontally: flip),
            maximumGradientNorm: clip, threads: common.threads)
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

    var defaultValueDescription: String { type.name }
    static var allValueStrings: [String] { LearningRates.all.map { $0.name } }
}
