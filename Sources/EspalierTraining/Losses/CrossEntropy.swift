/// Cross-entropy between labels and the softmax of the logits, with optional label smoothing (Szegedy 2016).
///
/// With smoothing e and K classes the target distribution is 1 - e + e/K on the label and e/K elsewhere.
package struct CrossEntropy: Loss {
    package var labelSmoothing: Double

    package init(labelSmoothing: Double = 0) {
        self.labelSmoothing = labelSmoothing
    }

    package func evaluate(
        _ batch: LossBatch, gradient: UnsafeMutablePointer<Float>?
    ) throws(TrainingError) -> LossValue {
        guard case .labels = batch.targets else {
            throw .mismatch("cross-entropy needs one class label per sample")
        }
        let columns = batch.columns
        let floor = labelSmoothing / Double(columns)
        let peak = 1 - labelSmoothing
        var value = LossValue(correct: 0, count: batch.rows)
        for row in 0..<batch.rows {
            let logits = batch.predictions + row * columns
            let softmax = SoftmaxRow(logits, count: columns)
            guard let label = try batch.label(row) else { continue }
            value.sum -= peak * softmax.logProbability(label)
            if floor > 0 {
                var total = 0.0
                for column in 0..<columns { total += softmax.logProbability(column) }
                value.sum -= floor * total
            }
            if softmax.largest == label { value.correct? += 1 }
            guard let gradient = gradient.map({ $0 + row * columns }) else { continue }
            for column in 0..<columns {
                let target = (column == label ? peak : 0) + floor
                gradient[column] = Float((softmax.probability(column) - target) * batch.gradientScale)
            }
        }
        return value
    }
}
