import EspalierExecution
package import EspalierGraphs
import EspalierKernels
import EspalierTensors
import EspalierTraining

/// Means over the data of single samples' gradients, and of their squares.
///
/// Batch norm is frozen, so that samples do not influence each other. Sums are kept in double precision.
package enum GradientMoments: EvidencePass {
    package static let kinds: Set<EvidenceKind> = [.meanGradients, .meanSquaredGradients]

    package static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, context: EvidenceContext
    ) throws -> Evidence {
        guard wanted.contains(.meanSquaredGradients) else {
            return try collect(wanted, from: graph, context, batchSize: context.batchSize, squares: .none)
        }
        do {
            return try collect(
                wanted, from: graph, context, batchSize: context.batchSize, squares: .perSample)
        } catch ExecutionError.notDifferentiable {
            // A parameter that is used twice, or an operator without per-sample squares. One sample at a time, the gradient is
            // that sample's own: exact for every network, and slow. A node without any gradient is refused here again.
            return try collect(wanted, from: graph, context, batchSize: 1, squares: .ofGradients)
        }
    }

    /// Where squared per-sample gradients come from.
    private enum Squares {
        case none
        /// The session sums them over the batch.
        case perSample
        /// Batches of one: the gradient is squared.
        case ofGradients
    }

    private static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, _ context: EvidenceContext, batchSize: Int,
        squares: Squares
    ) throws -> Evidence {
        // A last batch of fewer samples gets a program of its own.
        let batcher = try context.batcher(batchSize: batchSize)
        let pass = try GradientPass(
            graph, dataset: context.dataset, threads: context.lane.threads,
            perSampleSquares: squares == .perSample)
        let extent = pass.parameters.trainableExtent
        var gradientSums = [Double](repeating: 0, count: extent)
        var squareSums = gradientSums
        for batch in batcher.batches(epoch: 0) {
            let session = try pass.run(batch, of: batcher, loss: context.loss)
            let gradients = session.parameters.gradients
            for index in 0..<extent { gradientSums[index] += Double(gradients[index]) }
            if squares == .ofGradients {
                for index in 0..<extent {
                    squareSums[index] += Double(gradients[index]) * Double(gradients[index])
                }
            } else if let values = session.squares {
                for index in 0..<extent { squareSums[index] += Double(values[index]) }
            }
        }
        var evidence = Evidence(sampleCount: context.dataset.sampleCount)
        let scale = 1 / Double(context.dataset.sampleCount)
        for entry in pass.parameters.trainable {
            func mean(_ sums: [Double]) -> Tensor {
                Tensor(shape: entry.shape, scalars: sums[entry.range].map { Float($0 * scale) })
            }
            if wanted.contains(.meanGradients) { evidence[.meanGradients][entry.value] = mean(gradientSums) }
            if squares != .none { evidence[.meanSquaredGradients][entry.value] = mean(squareSums) }
        }
        return evidence
    }
}
