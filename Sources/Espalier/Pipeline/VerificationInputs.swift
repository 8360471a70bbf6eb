package import EspalierGraphs
package import EspalierTensors
package import EspalierTraining

/// Inputs on which two networks are compared.
package enum VerificationInputs {
    package static let sampleCount = 32

    /// Real samples where there are any, seeded noise otherwise, in portions of as many as the network is declared for.
    ///
    /// - Parameter shapes: of inputs whose declared ones are open.
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network, ``ModelInputError``.
    package static func batches(
        of graph: Graph, dataset: Dataset?, shapes: [ValueID: Shape] = [:], seed: UInt64
    ) throws -> [[String: Tensor]] {
        guard let dataset, dataset.sampleCount > 0 else {
            return [
                try ModelInputs.random(
                    for: graph, shapes: shapes, samples: samples(for: graph), seed: seed
                ).tensors
            ]
        }
        let binding = try InputBinding(graph, dataset)
        let count = min(sampleCount, dataset.sampleCount)
        return portions(of: count, for: graph).map { binding.tensors(of: dataset, samples: $0) }
    }

    /// The first `count` samples, `wanted` at a time if the network leaves that open; else the last portion is filled up with the
    /// last sample.
    package static func portions(of count: Int, for graph: Graph, wanted: Int = sampleCount) -> [[Int]] {
        let declared = graph.declaredBatchSize
        let size = declared ?? wanted
        return stride(from: 0, to: count, by: size).map { start in
            (start..<(declared == nil ? min(start + size, count) : start + size)).map { min($0, count - 1) }
        }
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
