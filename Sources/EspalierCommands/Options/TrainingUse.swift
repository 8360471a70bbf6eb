import EspalierTraining

/// What a command trains for, which decides on training options that are not given.
protocol TrainingUse {
    /// Samples in a step.
    static var batchSize: Int { get }
    /// What an optimizer's usual learning rate is multiplied with.
    static var rateScale: Double { get }
}

extension TrainingUse {
    static var batchSize: Int { 64 }

    static func learningRate(of optimizer: any Optimizer.Type) -> Double {
        optimizer.usualLearningRate * rateScale
    }

    /// For help.
    static var learningRates: String {
        Optimizers.all.map { "\(learningRate(of: $0)) for \($0.name)" }.joined(separator: ", ")
    }
}

/// From scratch, or as a repair.
enum UsualTraining: TrainingUse {
    static let rateScale = 1.0
}

/// Of a network that is trained already.
enum FurtherTraining: TrainingUse {
    static let rateScale = 0.25
}

/// Of lottery tickets: those of the paper, for LeNet-300-100.
enum TicketTraining: TrainingUse {
    static let batchSize = 60
    /// 0.0012 of Adam's usual 0.002.
    static let rateScale = 0.6
}
