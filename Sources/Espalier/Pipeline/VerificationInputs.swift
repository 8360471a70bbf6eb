package import EspalierGraphs
package import EspalierTensors
package import EspalierTraining

/// Inputs on which two networks are compared.
package enum VerificationInputs {
    private static let sampleCount = 32

    /// Real samples where there are any, seeded noise otherwise.
    ///
    /// - Parameter shapes: of inputs whose declared ones are open.
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network, ``ModelInputError``.
    package static func inputs(
        of graph: Graph, dataset: Dataset?, shapes: [ValueID: Shape] = [:], seed: UInt64
    ) throws -> [String: Tensor] {
        guard let dataset, dataset.sampleCount > 0 else {
            return try ModelInputs.random(
                for: graph, shapes: shapes, samples: samples(for: graph), seed: seed
            ).tensors
        }
        let count = min(sampleCount, dataset.sampleCount)
        return try InputBinding(graph, dataset).tensors(of: dataset, samples: Array(0..<count))
    }

    /// Where one input is made for a fixed number of samples, the others get as many.
    private static func samples(for graph: Graph) -> Int {
        let fixed = graph.inputs.compactMap { id -> Int? in
            guard case .fixed(let extent)? = graph.values[id]?.type?.dimensions?.first else { return nil }
            return extent
        }
        return fixed.first.map { first in fixed.allSatisfy { $0 == first } ? first : 1 } ?? sampleCount
    }
}
