import EspalierExecution
import EspalierGraphs
import EspalierKernels
package import EspalierTensors
package import EspalierTraining

/// Collects evidence that only the course of training can give.
///
/// Movement adds up -g w with the gradient of the step's mini-batch, before clipping, of whatever loss is trained, and the
/// weights before the update. Saliency adds up the squares of each sample's own gradient of the usual loss (cross-entropy
/// or squared error) at these weights, with batch norm frozen: another forward and backward pass for each step. Both
/// count every step, those after the best epoch too. Sums are in double precision and part of checkpoints.
package final class JourneyRecorder: StepHook {
    package enum Quantity: String, Sendable, CaseIterable {
        case movement, saliency

        package var kind: EvidenceKind {
            switch self {
            case .movement: .movement
            case .saliency: .journeySquaredGradients
            }
        }
    }

    private let quantities: [Quantity]
    private var sums: [Quantity: StreamingSums] = [:]
    private var sampleCount = 0
    private var pass: GradientPass?
    /// Whether samples go through one by one, where squares cannot be had for a batch.
    private var isOneByOne = false

    package init(_ quantities: Set<Quantity>) {
        self.quantities = Quantity.allCases.filter(quantities.contains)
    }

    package var identity: String { "journey of \(quantities.map(\.rawValue).joined(separator: " and "))" }

    package func willUpdate(_ run: TrainingRun) throws {
        let extent = run.store.trainableExtent
        for quantity in quantities {
            let sum = sums[quantity] ?? StreamingSums(count: extent)
            guard sum.values.count == extent else {
                throw TrainingError.checkpoint(
                    "its \(quantity.rawValue) has \(sum.values.count) numbers, expected \(extent)")
            }
            sums[quantity] = sum
        }
        sums[.movement]?.addProducts(
            of: UnsafeBufferPointer(run.store.gradients), and: UnsafeBufferPointer(run.store.values))
        guard let batch = run.batchUnderWay else { return }
        sampleCount += batch.count
        if quantities.contains(.saliency) { try addSquares(batch, run) }
    }

    private func addSquares(_ batch: Batch, _ run: TrainingRun) throws {
        let loss = try Evaluator.usualLoss(for: run.training)
        let pass = try pass ?? makePass(run)
        _ = pass.parameters.values.update(fromContentsOf: run.store.values)
        guard isOneByOne else {
            do {
                let session = try pass.run(batch, of: run.batcher, loss: loss)
                if let squares = session.squares { sums[.saliency]?.add(squares) }
                return
            } catch ExecutionError.notDifferentiable {
                isOneByOne = true
                self.pass = nil
                return try addSquares(batch, run)
            }
        }
        for position in batch.samples.indices {
            let one = Batch(epoch: batch.epoch, samples: batch.samples[position...position])
            _ = try pass.run(one, of: run.batcher, loss: loss)
            sums[.saliency]?.addSquares(of: UnsafeBufferPointer(pass.parameters.gradients))
        }
    }

    private func makePass(_ run: TrainingRun) throws -> GradientPass {
        let pass = try GradientPass(
            run.graph, dataset: run.training, threads: run.lane.threads, perSampleSquares: !isOneByOne,
            gradients: isOneByOne)
        self.pass = pass
        return pass
    }

    /// What was collected, for the parameters of `run`.
    package func evidence(_ run: TrainingRun) -> Evidence {
        var evidence = Evidence(sampleCount: sampleCount)
        for (quantity, sums) in sums {
            let scale = quantity == .movement ? -1 : 1 / Double(max(sampleCount, 1))
            for entry in run.store.trainable {
                evidence[quantity.kind][entry.value] = sums.tensor(
                    entry.range, shape: entry.shape, scale: scale)
            }
        }
        return evidence
    }

    package var state: [String: Tensor] {
        var state = ["samples": Tensor(shape: [1], scalars: [Int64(sampleCount)])]
        for (quantity, sums) in sums {
            state[quantity.rawValue] = Tensor(shape: [sums.values.count], scalars: sums.values)
        }
        return state
    }

    package func restore(_ state: [String: Tensor]) throws {
        sampleCount = Int(state["samples"]?.scalars(as: Int64.self).first ?? 0)
        sums = [:]
        for quantity in quantities {
            guard let saved = state[quantity.rawValue] else { continue }
            var sum = StreamingSums(count: saved.count)
            sum.values = saved.scalars(as: Double.self)
            sums[quantity] = sum
        }
    }
}
