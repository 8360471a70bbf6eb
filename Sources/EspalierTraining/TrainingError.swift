/// Why a network cannot be trained, or training had to stop.
package enum TrainingError: Error, Sendable, Equatable {
    /// A label that is not a class of the network.
    case label(Int, classes: Int, sample: Int)
    /// Data, network and loss that do not fit together.
    case mismatch(String)
    /// The loss or the weights are no longer finite numbers.
    case diverged(epoch: Int, step: Int)
    /// A checkpoint that belongs to another training run, or is damaged.
    case checkpoint(String)
    /// A checkpoint that cannot be written; what was there before still is.
    case unwritable(String)
    /// An architecture that cannot be built for the given input.
    case architecture(String)
}

extension TrainingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .label(let label, let classes, let sample):
            "sample \(sample) of the batch has label \(label), but the network has \(classes) outputs (labels 0 to \(classes - 1))"
        case .mismatch(let problem): problem
        case .diverged(let epoch, let step):
            """
            training diverged: the loss is not a finite number at step \(step) of epoch \(epoch); \
            try a smaller learning rate, warm-up or gradient clipping
            """
        case .checkpoint(let problem): "cannot resume: \(problem)"
        case .unwritable(let problem): "cannot save the training run: \(problem)"
        case .architecture(let problem): problem
        }
    }
}
