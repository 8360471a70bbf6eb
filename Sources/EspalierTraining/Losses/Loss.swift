/// What training minimises: a function of a network's outputs and of what they should be, with its gradient.
///
/// Per-batch values are means over the samples. Everything is summed in double precision, in the samples' order.
package protocol Loss: Sendable {
    /// The loss of a batch.
    ///
    /// - Parameter gradient: where the gradient with respect to the predictions goes, row-major like them, scaled by
    ///   ``LossBatch/gradientScale``; nil if it is not wanted.
    /// - Throws: ``TrainingError`` if the batch lacks what this loss compares with, or a label is not a class.
    func evaluate(
        _ batch: LossBatch, gradient: UnsafeMutablePointer<Float>?
    ) throws(TrainingError) -> LossValue
}

/// A batch of predictions, and what they are compared with.
package struct LossBatch {
    /// What a data set says about its samples.
    package enum Targets {
        case none
        /// One class per sample.
        case labels(UnsafePointer<Int32>)
        /// As many numbers per sample as the network has outputs.
        case values(UnsafePointer<Float>)
    }

    /// Row-major; for classification these are logits, before any softmax.
    package let predictions: UnsafePointer<Float>
    /// The number of samples.
    package let rows: Int
    /// The number of outputs per sample.
    package let columns: Int
    package let targets: Targets
    /// Another network's outputs for the same samples, of the same shape.
    package let teacher: UnsafePointer<Float>?
    /// Multiplies each sample's gradient: 1 / rows for the gradient of the mean, which is the default, 1 for that of the
    /// sum.
    package let gradientScale: Double

    package init(
        predictions: UnsafePointer<Float>, rows: Int, columns: Int, targets: Targets,
        teacher: UnsafePointer<Float>? = nil, gradientScale: Double? = nil
    ) {
        self.predictions = predictions
        self.rows = rows
        self.columns = columns
        self.targets = targets
        self.teacher = teacher
        self.gradientScale = gradientScale ?? 1 / Double(max(rows, 1))
    }

    /// The label of a sample, checked; nil if the samples have none.
    func label(_ row: Int) throws(TrainingError) -> Int? {
        guard case .labels(let labels) = targets else { return nil }
        let label = Int(labels[row])
        guard label >= 0, label < columns else {
            throw .label(label, classes: columns, sample: row)
        }
        return label
    }
}

/// The loss of one or more batches.
package struct LossValue: Hashable, Sendable {
    /// Over the samples; divide by ``count`` for the mean.
    package var sum: Double
    /// How many samples have their label as the largest output; nil if they have no labels.
    package var correct: Int?
    package var count: Int

    package init(sum: Double = 0, correct: Int? = nil, count: Int = 0) {
        self.sum = sum
        self.correct = correct
        self.count = count
    }

    /// The mean loss per sample; not a number for no samples.
    package var mean: Double { sum / Double(count) }

    /// The share of samples classified correctly, in 0...1.
    package var accuracy: Double? { correct.map { Double($0) / Double(max(count, 1)) } }

    package mutating func add(_ other: LossValue) {
        sum += other.sum
        count += other.count
        if let more = other.correct { correct = (correct ?? 0) + more }
    }
}
