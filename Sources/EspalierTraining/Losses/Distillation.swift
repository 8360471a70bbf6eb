/// Agreement with a teacher network (Hinton 2015), optionally mixed with the labels.
///
/// loss = weight T^2 KL(teacher || student) + (1 - weight) hard, both distributions softmaxes at temperature T; T^2
/// keeps gradients comparable over temperatures. With weight 1, the default, no labels are needed at all.
package struct Distillation: Loss {
    package var temperature: Double
    /// The share of the teacher in the loss, 0...1.
    package var weight: Double
    /// The loss against the labels.
    package var hard: CrossEntropy

    package init(temperature: Double = 4, weight: Double = 1, hard: CrossEntropy = CrossEntropy()) {
        self.temperature = temperature
        self.weight = weight
        self.hard = hard
    }

    package func evaluate(
        _ batch: LossBatch, gradient: UnsafeMutablePointer<Float>?
    ) throws(TrainingError) -> LossValue {
        guard let teacher = batch.teacher else {
            throw .mismatch("distillation needs the teacher's outputs for every batch")
        }
        var value = LossValue(count: batch.rows)
        // The labels' part goes first: it overwrites the gradient, to which the teacher's part is added.
        let usesLabels = weight < 1
        if usesLabels { value = try hard.evaluate(batch, gradient: gradient) }
        value.sum *= 1 - weight
        let columns = batch.columns
        let lossScale = weight * temperature * temperature
        let gradientScale = weight * temperature * batch.gradientScale
        for row in 0..<batch.rows {
            let start = row * columns
            let student = SoftmaxRow(
                batch.predictions + start, count: columns, temperature: temperature)
            let target = SoftmaxRow(teacher + start, count: columns, temperature: temperature)
            if !usesLabels, let label = try batch.label(row) {
                value.correct = (value.correct ?? 0) + (student.largest == label ? 1 : 0)
            }
            for column in 0..<columns {
                let wanted = target.probability(column)
                // 0 log 0 is 0: a class that the teacher rules out costs nothing.
                if wanted > 0 {
                    let ratio = target.logProbability(column) - student.logProbability(column)
                    value.sum += lossScale * wanted * ratio
                }
                guard let gradient else { continue }
                let pull = (student.probability(column) - wanted) * gradientScale
                gradient[start + column] =
                    usesLabels
                    ? gradient[start + column] * Float(1 - weight) + Float(pull) : Float(pull)
            }
        }
        return value
    }
}
