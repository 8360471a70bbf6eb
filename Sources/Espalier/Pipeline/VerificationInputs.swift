package import EspalierGraphs
package import EspalierTensors
package import EspalierTraining

/// Inputs on which two networks are compared.
package enum VerificationInputs {
    private static let sampleCount = 32

    /// Real samples where there are any, seeded noise otherwise.
    ///
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network, ``ModelInputError``.
    package static func inputs(of graph: Graph, dataset: Dataset?, seed: UInt64) throws -> [String: Tensor] {
        guard let dataset, dataset.sampleCount > 0 else {
            return try ModelInputs.random(for: graph, samples: sampleCount, seed: seed).tensors
        }
        let count = min(sampleCount, dataset.sampleCount)
        return try InputBinding(graph, dataset).tensors(of: dataset, samples: Array(0..<count))
    }
}
