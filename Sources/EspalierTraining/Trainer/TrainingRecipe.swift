/// How a network is trained: everything but the network and the data.
package struct TrainingRecipe: Sendable {
    package var epochs: Int
    /// Samples per step; all of them where there are fewer.
    package var batchSize: Int
    package var optimizer: any Optimizer
    package var schedule: any LearningRateSchedule
    package var loss: any Loss
    /// Decides the order of samples, augmentation and dropout. Not the initialisation: that is in the network.
    package var seed: UInt64
    package var augmentation: Augmentation
    /// Gradients of a larger norm are scaled down to it.
    package var maximumGradientNorm: Double?
    /// Whether batch norm uses and keeps its stored statistics.
    package var freezesNormalization: Bool
    /// Whether an epoch's last samples, too few for a batch, are left to other epochs. The order differs from epoch to
    /// epoch, so none is left out for good.
    package var dropsPartialBatch: Bool
    /// Whether parameters of rank 1 (biases, normalisation) are subject to weight decay as well.
    package var decaysVectors: Bool
    /// Whether the result is the network after the epoch that was best on the validation data, rather than the last.
    package var keepsBest: Bool
    /// Ends training when that many epochs in a row were no better than the best; nil never does.
    package var patience: Int?
    package var threads: Int
    /// What it is trained under besides the loss.
    package var regularizations: [any Regularization] = []

    package init(
        epochs: Int, batchSize: Int = 64, optimizer: any Optimizer = StochasticGradientDescent(),
        schedule: any LearningRateSchedule = CosineAnnealing(peak: 0.05), loss: any Loss = CrossEntropy(),
        seed: UInt64 = 0, augmentation: Augmentation = .none, maximumGradientNorm: Double? = nil,
        freezesNormalization: Bool = false, dropsPartialBatch: Bool = true, decaysVectors: Bool = false,
        keepsBest: Bool = true, patience: Int? = nil, threads: Int = 1
    ) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.optimizer = optimizer
        self.schedule = schedule
        self.loss = loss
        self.seed = seed
        self.augmentation = augmentation
        self.maximumGradientNorm = maximumGradientNorm
        self.freezesNormalization = freezesNormalization
        self.dropsPartialBatch = dropsPartialBatch
        self.decaysVectors = decaysVectors
        self.keepsBest = keepsBest
        self.patience = patience
        self.threads = threads
    }

    /// What must be equal for a checkpoint to continue under this recipe, by name. The values are what Swift says of
    /// the stored properties, numbers with all their digits.
    package var identity: [String: String] {
        var identity = [
            "epochs": "\(epochs)", "batch size": "\(batchSize)", "optimizer": "\(optimizer)",
            "learning rate": "\(schedule)", "loss": "\(loss)", "seed": "\(seed)",
            "augmentation": "\(augmentation)", "threads": "\(threads)",
            "gradient clipping": maximumGradientNorm.map { "\($0)" } ?? "none",
            "frozen normalization": "\(freezesNormalization)", "partial batches": "\(!dropsPartialBatch)",
            "decay of vectors": "\(decaysVectors)", "best epoch": "\(keepsBest)",
            "patience": patience.map { "\($0)" } ?? "none",
        ]
        if !regularizations.isEmpty {
            identity["regularization"] = regularizations.map(\.identity).joined(separator: "; ")
        }
        return identity
    }
}
