/// How one epoch of training went.
package struct EpochSummary: Codable, Sendable, Hashable {
    /// Counted from 0.
    package var epoch: Int
    /// Means over the epoch's samples, measured while the network changed, with augmentation.
    package var trainingLoss: Double
    package var trainingAccuracy: Double?
    /// After the epoch; nil without validation data.
    package var validationLoss: Double?
    package var validationAccuracy: Double?
    /// Of the epoch's last step.
    package var learningRate: Double
    /// Mean over the epoch's steps of the gradient's norm before clipping; nil without clipping.
    package var gradientNorm: Double?
    /// Share of the weights under a mask that are pruned; nil without masks.
    package var sparsity: Double?
    /// Training and validation together.
    package var seconds: Double
    /// Whether it is the best so far.
    package var isBest: Bool
}

/// What is known about an epoch that is under way.
struct EpochProgress: Codable, Hashable {
    var lossSum = 0.0
    var correct: Int?
    var samples = 0
    var gradientNormSum: Double?
    var learningRate = 0.0
    var seconds = 0.0

    mutating func add(_ value: LossValue, gradientNorm: Double?, learningRate: Double) {
        lossSum += value.sum
        samples += value.count
        if let more = value.correct { correct = (correct ?? 0) + more }
        if let gradientNorm { gradientNormSum = (gradientNormSum ?? 0) + gradientNorm }
        self.learningRate = learningRate
    }
}

/// What a training run tells its observer.
package enum TrainingEvent: Sendable {
    /// A step is done: steps of `total` over all epochs, the epoch it belongs to, and the epoch's mean loss so far.
    case step(done: Int, total: Int, epoch: Int, meanLoss: Double)
    case epoch(EpochSummary)
}
