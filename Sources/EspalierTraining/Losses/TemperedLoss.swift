/// Another loss on outputs divided by a temperature: for logits a flatter or sharper softmax.
package struct TemperedLoss: Loss {
    private let loss: any Loss
    private let temperature: Double

    /// - Parameter temperature: above 1 flattens.
    package init(_ loss: any Loss, temperature: Double) {
        self.loss = loss
        self.temperature = temperature
    }

    package func evaluate(
        _ batch: LossBatch, gradient: UnsafeMutablePointer<Float>?
    ) throws(TrainingError) -> LossValue {
        let divided = (0..<(batch.rows * batch.columns)).map {
            Float(Double(batch.predictions[$0]) / temperature)
        }
        let scale = batch.gradientScale / temperature
        return try divided.withUnsafeBufferPointer { divided throws(TrainingError) in
            guard let base = divided.baseAddress else { return LossValue() }
            let tempered = LossBatch(
                predictions: base, rows: batch.rows, columns: batch.columns, targets: batch.targets,
                teacher: batch.teacher, gradientScale: scale)
            return try loss.evaluate(tempered, gradient: gradient)
        }
    }
}
