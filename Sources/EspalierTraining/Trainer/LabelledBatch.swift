import EspalierTensors

/// The targets of a batch, kept alive while a loss reads them.
struct LabelledBatch {
    private let classes: [Int32]?
    private let values: Tensor?

    init(_ batch: Batch, of batcher: Batcher) {
        var memory: [Int32] = []
        self.init(batch, of: batcher, memory: &memory)
    }

    /// - Parameter memory: for the classes; used again once no other batch has its numbers there.
    init(_ batch: Batch, of batcher: Batcher, memory: inout [Int32]) {
        classes = batcher.classes(batch, into: &memory) ? memory : nil
        values = batcher.targets(batch)
    }

    /// Evaluates a loss on predictions for this batch.
    ///
    /// - Parameter gradientScale: as ``LossBatch/gradientScale``.
    func evaluate(
        _ loss: any Loss, predictions: UnsafeBufferPointer<Float>, rows: Int,
        teacher: UnsafeBufferPointer<Float>?, gradient: UnsafeMutablePointer<Float>?,
        gradientScale: Double? = nil
    ) throws -> LossValue {
        guard let base = predictions.baseAddress, rows > 0 else { return LossValue() }
        let columns = predictions.count / rows
        if let teacher, teacher.count != predictions.count {
            throw TrainingError.mismatch(
                "the teacher has \(teacher.count / rows) outputs, the network \(columns)")
        }
        if let values, values.count != predictions.count {
            throw TrainingError.mismatch(
                "the data has \(values.count / rows) target values per sample, the network \(columns) outputs"
            )
        }
        func evaluate(_ targets: LossBatch.Targets) throws -> LossValue {
            let batch = LossBatch(
                predictions: base, rows: rows, columns: columns, targets: targets,
                teacher: teacher?.baseAddress, gradientScale: gradientScale)
            return try loss.evaluate(batch, gradient: gradient)
        }
        if let classes {
            return try classes.withUnsafeBufferPointer { classes in
                try evaluate(classes.baseAddress.map { .labels($0) } ?? .none)
            }
        }
        if let values {
            return try values.withUnsafeScalars(of: Float.self) { values in
                try evaluate(values.baseAddress.map { .values($0) } ?? .none)
            }
        }
        return try evaluate(.none)
    }
}
