package import EspalierExecution
package import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Gradients of a network apart from its training, batch after batch: what evidence and adversarial samples are made of.
///
/// Batch norm is frozen, and each sample's loss counts with weight 1: gradients are sums over the batch, not means. Runs
/// on the caller's lane.
package final class GradientPass {
    package let parameters: ParameterStore
    private let graph: Graph
    private let binding: InputBinding
    private let options: TrainingSession.Options
    private let output: ValueID
    private var sessions: [Int: TrainingSession] = [:]
    /// Memory for the labels of a batch.
    private var classes: [Int32] = []

    /// - Parameters:
    ///   - output: the value that holds the predictions; nil for ``EspalierGraphs/Graph/lossOutput(for:batchSize:)``.
    ///   - parameters: those of a run for the same network, to be followed as it trains; nil for the network's own.
    ///   - perSampleSquares: whether ``TrainingSession/squares`` is wanted.
    ///   - gradients: whether plain gradients of the parameters are wanted.
    ///   - inputGradients: whether those of the network's inputs are wanted.
    ///   - repeatsBackward: whether there may be several backward passes after one forward.
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network, ``ExecutionError``.
    package init(
        _ graph: Graph, dataset: Dataset, output: ValueID? = nil, parameters: ParameterStore? = nil,
        threads: Int = 1, perSampleSquares: Bool = false, gradients: Bool = true,
        inputGradients: Bool = false, repeatsBackward: Bool = false
    ) throws {
        self.graph = graph
        binding = try InputBinding(graph, dataset)
        self.output = try output ?? graph.lossOutput(for: dataset, batchSize: 1)
        self.parameters =
            try parameters
            ?? ParameterStore(ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: 1)))
        var options = TrainingSession.Options(
            phase: .training(frozenNormalization: true, seed: 0), threads: threads)
        options.perSampleSquares = perSampleSquares
        options.parameterGradients = gradients
        options.inputGradients = inputGradients
        options.repeatsBackward = repeatsBackward
        self.options = options
    }

    /// Runs forward and backward on a batch; the gradients are in ``parameters``, what else was asked for in the session,
    /// until the next run.
    package func run(_ batch: Batch, of batcher: Batcher, loss: any Loss) throws -> TrainingSession {
        let session = try forward(batch, of: batcher)
        try writeGradient(of: loss, batch, of: batcher, in: session)
        try session.backward()
        return session
    }

    /// Runs forward on a batch. The caller writes the gradient of the session's only output, [samples, columns], and runs
    /// backward.
    package func forward(_ batch: Batch, of batcher: Batcher) throws -> TrainingSession {
        let session = try feed(batch, of: batcher)
        try session.forward()
        return session
    }

    /// Writes a batch into the inputs of the program for its size, which is the caller's to run.
    package func feed(_ batch: Batch, of batcher: Batcher) throws -> TrainingSession {
        let session = try session(batchSize: batch.count)
        let others = binding.feed(batch, of: batcher) { session.input(graph.name(of: $0)) }
        for (id, tensor) in others { try session.setInput(graph.name(of: id), to: tensor) }
        return session
    }

    /// Writes the gradient of each sample's own loss as what the next backward pass starts from.
    package func writeGradient(
        of loss: any Loss, _ batch: Batch, of batcher: Batcher, in session: TrainingSession
    ) throws {
        _ = try LabelledBatch(batch, of: batcher, memory: &classes).evaluate(
            loss, predictions: session.outputs[0], rows: batch.count, teacher: nil,
            gradient: session.outputGradients[0].baseAddress, gradientScale: 1)
    }

    private func session(batchSize: Int) throws -> TrainingSession {
        if let session = sessions[batchSize] { return session }
        let resolved = try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: batchSize))
        var options = options
        if options.perSampleSquares {
            options.sampleValues = sampleValues(of: resolved, batchSize: batchSize)
        }
        let session = try TrainingSession(
            resolved, outputs: [output], parameters: parameters, options: options)
        sessions[batchSize] = session
        return session
    }

    /// The values whose axis 0 is as long as the batch, and stays so in a batch of another size, if the network takes any.
    private func sampleValues(of resolved: ResolvedGraph, batchSize: Int) -> Set<ValueID> {
        let otherSize = batchSize == 1 ? 2 : 1
        let other = try? ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: otherSize))
        func extent(of value: ValueID, in graph: ResolvedGraph) -> Int? {
            graph.facts[value]?.shape.extents.first
        }
        return Set(
            resolved.facts.keys.filter { value in
                guard extent(of: value, in: resolved) == batchSize else { return false }
                return other.map { extent(of: value, in: $0) == otherSize } ?? true
            })
    }
}
