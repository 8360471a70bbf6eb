import EspalierTensors
import EspalierTraining
import Testing

/// A loss with what it needs, on a small random batch.
struct LossCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let loss: any Loss
    var usesTeacher = false
    var usesValues = false

    static let rows = 5
    static let columns = 4

    static let all: [LossCase] = [
        LossCase(testDescription: "cross-entropy", loss: CrossEntropy()),
        LossCase(testDescription: "smoothed cross-entropy", loss: CrossEntropy(labelSmoothing: 0.2)),
        LossCase(testDescription: "squared error", loss: MeanSquaredError(), usesValues: true),
        LossCase(testDescription: "distillation", loss: Distillation(temperature: 3), usesTeacher: true),
        LossCase(
            testDescription: "distillation with labels",
            loss: Distillation(temperature: 2, weight: 0.7, hard: CrossEntropy(labelSmoothing: 0.1)),
            usesTeacher: true),
    ]

    static let labels: [Int32] = [0, 3, 1, 1, 2]

    static func numbers(seed: UInt64, scale: Double = 2) -> [Float] {
        var random = RandomSource(seed: seed)
        return (0..<(rows * columns)).map { _ in Float(random.normal() * scale) }
    }

    func evaluate(
        _ predictions: [Float], gradient: UnsafeMutablePointer<Float>? = nil, scale: Double? = nil
    ) throws -> LossValue {
        let others = Self.numbers(seed: 99)
        return try predictions.withUnsafeBufferPointer { predictions in
            try others.withUnsafeBufferPointer { others in
                try Self.labels.withUnsafeBufferPointer { labels in
                    guard let predictions = predictions.baseAddress, let others = others.baseAddress,
                        let labels = labels.baseAddress
                    else { throw TrainingError.mismatch("empty") }
                    return try loss.evaluate(
                        LossBatch(
                            predictions: predictions, rows: Self.rows, columns: Self.columns,
                            targets: usesValues ? .values(others) : .labels(labels),
                            teacher: usesTeacher ? others : nil, gradientScale: scale),
                        gradient: gradient)
                }
            }
        }
    }
}

struct LossTests {
    @Test(arguments: LossCase.all, [1, 2, 3] as [UInt64])
    func gradientsAreCentralDifferences(of loss: LossCase, seed: UInt64) throws {
        let predictions = LossCase.numbers(seed: seed)
        var gradient = [Float](repeating: .nan, count: predictions.count)
        let value = try gradient.withUnsafeMutableBufferPointer {
            try loss.evaluate(predictions, gradient: $0.baseAddress)
        }
        #expect(value.count == LossCase.rows)
        for position in predictions.indices {
            // A power of two, so that the shifted logits are exact.
            let step: Float = 0x1p-7
            var shifted = predictions
            shifted[position] = predictions[position] + step
            let up = shifted[position]
            let above = try loss.evaluate(shifted).mean
            shifted[position] = predictions[position] - step
            let down = shifted[position]
            let below = try loss.evaluate(shifted).mean
            let difference = (above - below) / (Double(up) - Double(down))
            #expect(abs(Double(gradient[position]) - difference) < 2e-5, "seed \(seed), position \(position)")
        }
    }

    @Test(arguments: LossCase.all)
    func gradientScaleOneIsTheGradientOfTheSum(of loss: LossCase) throws {
        let predictions = LossCase.numbers(seed: 7)
        var mean = [Float](repeating: 0, count: predictions.count)
        var sum = mean
        _ = try mean.withUnsafeMutableBufferPointer {
            try loss.evaluate(predictions, gradient: $0.baseAddress)
        }
        _ = try sum.withUnsafeMutableBufferPointer {
            try loss.evaluate(predictions, gradient: $0.baseAddress, scale: 1)
        }
        for (mean, sum) in zip(mean, sum) { #expect(abs(sum - mean * Float(LossCase.rows)) < 1e-5) }
    }

    @Test func crossEntropyOfEqualLogitsIsTheLogarithmOfTheClasses() throws {
        let value = try LossCase.all[0].evaluate([Float](repeating: 3, count: 20))
        #expect(abs(value.mean - 1.3862943611198906) < 1e-12)
        // Of equal logits the first counts as the largest.
        #expect(value.correct == 1 && value.accuracy == 0.2)
    }

    @Test(arguments: LossCase.all)
    func hugeLogitsStayFinite(of loss: LossCase) throws {
        let predictions = LossCase.numbers(seed: 5, scale: 1e4)
        var gradient = [Float](repeating: 0, count: predictions.count)
        let value = try gradient.withUnsafeMutableBufferPointer {
            try loss.evaluate(predictions, gradient: $0.baseAddress)
        }
        #expect(value.sum.isFinite && gradient.allSatisfy(\.isFinite))
    }

    @Test func distillingFromItselfCostsNothing() throws {
        let loss = LossCase(testDescription: "", loss: Distillation(temperature: 4), usesTeacher: true)
        var gradient = [Float](repeating: 1, count: 20)
        let value = try gradient.withUnsafeMutableBufferPointer {
            try loss.evaluate(LossCase.numbers(seed: 99), gradient: $0.baseAddress)
        }
        #expect(abs(value.sum) < 1e-12)
        #expect(gradient.allSatisfy { abs($0) < 1e-7 })
    }

    @Test func distillationNeedsNoLabels() throws {
        let numbers = LossCase.numbers(seed: 1)
        let teacher = LossCase.numbers(seed: 2)
        let value = try numbers.withUnsafeBufferPointer { numbers in
            try teacher.withUnsafeBufferPointer { teacher in
                let batch = LossBatch(
                    predictions: try #require(numbers.baseAddress), rows: 5, columns: 4, targets: .none,
                    teacher: teacher.baseAddress)
                return try Distillation().evaluate(batch, gradient: nil)
            }
        }
        #expect(value.sum > 0 && value.correct == nil && value.accuracy == nil)
    }

    @Test func missingOrImpossibleTargetsAreRefused() throws {
        let numbers = LossCase.numbers(seed: 1)
        let labels: [Int32] = [0, 1, 4, 0, 0]
        try numbers.withUnsafeBufferPointer { numbers in
            try labels.withUnsafeBufferPointer { labels in
                let predictions = try #require(numbers.baseAddress)
                let wrong = LossBatch(
                    predictions: predictions, rows: 5, columns: 4,
                    targets: .labels(try #require(labels.baseAddress)))
                #expect(throws: TrainingError.label(4, classes: 4, sample: 2)) {
                    try CrossEntropy().evaluate(wrong, gradient: nil)
                }
                let unlabelled = LossBatch(predictions: predictions, rows: 5, columns: 4, targets: .none)
                for loss in [CrossEntropy(), MeanSquaredError(), Distillation()] as [any Loss] {
                    #expect(throws: TrainingError.self) { try loss.evaluate(unlabelled, gradient: nil) }
                }
            }
        }
    }

    @Test func valuesAddUpOverBatches() {
        var total = LossValue()
        total.add(LossValue(sum: 3, correct: 2, count: 4))
        total.add(LossValue(sum: 1, correct: 1, count: 1))
        #expect(total.mean == 0.8 && total.accuracy == 0.6)
    }

    @Test func notANumberIsNeverCorrect() throws {
        var predictions = [Float](repeating: 0, count: 20)
        predictions[0] = .nan
        #expect(try LossCase.all[0].evaluate(predictions).correct == 0)
    }
}
