import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierTensors

/// How well a network does on a data set.
package struct Evaluation: Sendable {
    package var value: LossValue
    /// The position of each sample's largest output, in the data set's order: for paired comparisons of networks.
    package var predictions: [Int32]
}

/// Runs a network over data sets in inference mode.
package final class Evaluator {
    private let graph: Graph
    private let output: ValueID
    private let lane: Lane
    private let batchSize: Int
    private var plans: [Int: InferencePlan] = [:]
    private var binding: InputBinding?

    /// - Parameters:
    ///   - output: the value that holds the predictions; nil for the graph's first output.
    ///   - batchSize: samples at a time, which have no influence on the results but rounding; nil for 250, or as many as the
    ///     network is made for if its nodes refuse any other number.
    ///   - lane: where it computes, with as many threads as that has.
    /// - Throws: ``TrainingError/mismatch(_:)`` if the graph has no output.
    package init(
        _ graph: Graph, output: ValueID? = nil, batchSize: Int? = nil, lane: Lane
    ) throws(TrainingError) {
        guard let output = output ?? graph.outputs.first else {
            throw .mismatch("the network has no output")
        }
        self.graph = graph
        self.output = output
        self.batchSize = batchSize ?? graph.batchSize(wanted: 250)
        self.lane = lane
    }

    /// The loss over all samples, the last partial batch included.
    ///
    /// - Parameters:
    ///   - loss: nil for the usual one: cross-entropy for classes, squared error for numbers.
    ///   - teacher: whose outputs the loss compares with, if it does; on the same lane.
    ///   - progress: told how many samples are done, on the lane; may throw to stop.
    /// - Throws: ``TrainingError``, ``ExecutionError`` or ``DataError``.
    package func evaluate(
        _ dataset: Dataset, loss: (any Loss)? = nil, teacher: Evaluator? = nil,
        progress: (Int) throws -> Void = { _ in }
    ) throws -> Evaluation {
        try lane.run { try evaluateHere(dataset, loss: loss, teacher: teacher, progress: progress) }
    }

    private func evaluateHere(
        _ dataset: Dataset, loss: (any Loss)?, teacher: Evaluator?, progress: (Int) throws -> Void
    ) throws -> Evaluation {
        let loss = try loss ?? Self.usualLoss(for: dataset)
        let batcher = try Batcher(dataset, batchSize: batchSize, seed: 0, shuffles: false)
        binding = try InputBinding(graph, dataset)
        if let teacher { teacher.binding = try InputBinding(teacher.graph, dataset) }
        var result = Evaluation(value: LossValue(), predictions: [])
        result.predictions.reserveCapacity(dataset.sampleCount)
        for batch in batcher.batches(epoch: 0) {
            let outputs = try run(batch, of: batcher)
            let reference = try teacher?.run(batch, of: batcher)
            result.value.add(
                try LabelledBatch(batch, of: batcher).evaluate(
                    loss, predictions: outputs, rows: batch.count, teacher: reference, gradient: nil))
            result.predictions.append(contentsOf: Self.largest(outputs, rows: batch.count))
            try progress(result.predictions.count)
        }
        return result
    }

    /// The loss by which a network on such data is usually judged.
    package static func usualLoss(for dataset: Dataset) throws(TrainingError) -> any Loss {
        switch dataset.labels {
        case .classes: return CrossEntropy()
        case .targets: return MeanSquaredError()
        case .none:
            throw .mismatch("\(dataset.name) has no labels to compare the network's outputs with")
        }
    }

    /// The outputs for all samples, one after the other.
    ///
    /// - Parameter willRun: called before every batch, on the lane; may throw to stop.
    func outputs(for dataset: Dataset, willRun: () throws -> Void) throws -> [Float] {
        try lane.run {
            let batcher = try Batcher(dataset, batchSize: batchSize, seed: 0, shuffles: false)
            var outputs: [Float] = []
            for batch in batcher.batches(epoch: 0) {
                try willRun()
                outputs += try run(batch, of: batcher)
            }
            return outputs
        }
    }

    /// The outputs for one batch, valid until the next.
    func run(_ batch: Batch, of batcher: Batcher) throws -> UnsafeBufferPointer<Float> {
        let binding = try self.binding ?? InputBinding(graph, batcher.dataset)
        self.binding = binding
        let plan = try plans[batch.count] ?? makePlan(binding, count: batch.count)
        let others = binding.feed(batch, of: batcher) { plan.input($0) }
        if others.isEmpty { try plan.run() } else { try plan.run(others) }
        guard let scalars = plan.outputScalars(0) else {
            throw TrainingError.mismatch(
                "the output '\(graph.name(of: output))' does not hold float32 numbers")
        }
        return scalars
    }

    private func makePlan(_ binding: InputBinding, count: Int) throws(ExecutionError) -> InferencePlan {
        let plan = try InferencePlan(
            graph, inputShapes: binding.shapes(batchSize: count), outputs: [output],
            threads: lane.threads)
        plans[count] = plan
        return plan
    }

    private static func largest(_ outputs: UnsafeBufferPointer<Float>, rows: Int) -> [Int32] {
        let columns = rows > 0 ? outputs.count / rows : 0
        guard columns > 0 else { return [] }
        return (0..<rows).map { row in
            let start = row * columns
            var best = start
            for position in start..<(start + columns) where outputs[position] > outputs[best] {
                best = position
            }
            return Int32(best - start)
        }
    }
}
