/// The squared difference from given numbers, averaged over a sample's outputs.
package struct MeanSquaredError: Loss {
    package init() {}

    package func evaluate(
        _ batch: LossBatch, gradient: UnsafeMutablePointer<Float>?
    ) throws(TrainingError) -> LossValue {
        guard case .values(let targets) = batch.targets else {
            throw .mismatch(
                "mean squared error needs \(batch.columns) numbers per sample to compare the outputs with")
        }
        let columns = batch.columns
        let scale = 2 * batch.gradientScale / Double(max(columns, 1))
        var sum = 0.0
        for position in 0..<(batch.rows * columns) {
            let difference = Double(batch.predictions[position]) - Double(targets[position])
            sum += difference * difference
            gradient?[position] = Float(difference * scale)
        }
        return LossValue(sum: sum / Double(max(columns, 1)), count: batch.rows)
    }
}
