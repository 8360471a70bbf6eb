import EspalierExecution
package import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import EspalierTraining

/// Means over the data of gradients, and of single samples' squared gradients, of whatever a backward pass can start from.
///
/// All its kinds share one forward pass; each ``BackwardSeed`` is one backward pass. Batch norm is frozen, so that samples
/// do not influence each other. Sums are kept in double precision.
package enum GradientMoments: EvidencePass {
    package static let kinds: Set<EvidenceKind> = [
        .meanGradients, .meanSquaredGradients, .fisherDiagonal, .sampledFisherDiagonal, .squaredJacobian,
        .probedSquaredJacobian,
    ]

    package static func needsLabels(for wanted: Set<EvidenceKind>) -> Bool {
        !wanted.isSubset(of: [.squaredJacobian, .probedSquaredJacobian])
    }

    package static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, context: EvidenceContext
    ) throws -> Evidence {
        guard wanted != [.meanGradients] else {
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
        let needsGradients = squares != .perSample || wanted.contains(.meanGradients)
        let pass = try GradientPass(
            graph, dataset: context.dataset, threads: context.lane.threads,
            perSampleSquares: squares == .perSample, gradients: needsGradients,
            repeatsBackward: wanted.subtracting([.meanGradients, .meanSquaredGradients]) != [])
        let extent = pass.parameters.trainableExtent
        var sums: [EvidenceKind: StreamingSums] = [:]
        for kind in wanted { sums[kind] = StreamingSums(count: extent) }
        for batch in batcher.batches(epoch: 0) {
            try context.willTakeBatch()
            let session = try pass.forward(batch, of: batcher)
            let gradients = UnsafeBufferPointer(session.parameters.gradients)
            let outputs = session.outputs[0].count / max(batch.count, 1)
            for seed in BackwardSeed.all(for: wanted, outputs: outputs, context: context) {
                try seed.write(batch, of: batcher, in: session, pass: pass, context: context)
                try session.backward()
                if case .loss = seed { sums[.meanGradients]?.add(gradients) }
                if let values = session.squares {
                    sums[seed.squares]?.add(values)
                } else {
                    sums[seed.squares]?.addSquares(of: gradients)
                }
            }
        }
        var evidence = Evidence(sampleCount: context.dataset.sampleCount)
        for (kind, sums) in sums {
            let count = context.dataset.sampleCount * BackwardSeed.repetitions(of: kind, context: context)
            for entry in pass.parameters.trainable {
                evidence[kind][entry.value] = sums.tensor(
                    entry.range, shape: entry.shape, scale: 1 / Double(count))
            }
        }
        return evidence
    }
}
