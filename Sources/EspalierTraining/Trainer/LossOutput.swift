package import EspalierGraphs
import EspalierOperators

extension Graph {
    /// The value on which a loss for such data is taken: the first output, or the logits behind it if it is their
    /// softmax. Data without labels are for distillation, which compares logits too.
    ///
    /// - Throws: ``TrainingError/mismatch(_:)`` if there is no output or the data do not fit.
    package func lossOutput(for dataset: Dataset, batchSize: Int) throws -> ValueID {
        guard let output = outputs.first else { throw TrainingError.mismatch("the network has no output") }
        if case .targets = dataset.labels { return output }
        let shapes = try InputBinding(self, dataset).shapes(batchSize: batchSize)
        return try ResolvedGraph(self, inputShapes: shapes).logits(of: output)
    }
}
