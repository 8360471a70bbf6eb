import EspalierExecution
package import EspalierGraphs
package import EspalierKernels
import EspalierOperators
import EspalierTensors
package import EspalierTraining

/// A network with samples to be changed: tells outputs, and gradients by the inputs. Batch norm is frozen.
package final class AttackedNetwork {
    package let dataset: Dataset
    package let units: InputUnits
    package let lane: Lane
    private let graph: Graph
    private let binding: InputBinding
    private let inputName: String
    private let output: ValueID
    private let parameters: ParameterStore
    private var sessions: [Int: TrainingSession] = [:]

    /// - Parameter dataset: with classes and one input.
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network, have no classes or several inputs;
    ///   ``ResolutionError``.
    package init(_ graph: Graph, dataset: Dataset, units: InputUnits? = nil, lane: Lane) throws {
        guard case .classes = dataset.labels, dataset.inputs.count == 1, let input = graph.inputs.first else {
            throw TrainingError.mismatch("an attack needs samples of one input, with classes")
        }
        self.graph = graph
        self.dataset = dataset
        self.units = units ?? InputUnits(dataset)
        self.lane = lane
        binding = try InputBinding(graph, dataset)
        inputName = graph.name(of: input)
        output = try graph.lossOutput(for: dataset, batchSize: 1)
        // No parameter has a gradient: that is half of a backward pass.
        parameters = ParameterStore(
            try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: 1)), trainable: [])
    }

    /// The class of each sample.
    package var classes: [Int32] {
        if case .classes(let classes, _) = dataset.labels { classes } else { [] }
    }

    /// The numbers of one sample.
    package var sampleSize: Int { dataset.x.count / dataset.sampleCount }

    /// Outputs of inputs as the network is given them.
    ///
    /// - Parameter write: fills the network's input, [count, ...].
    /// - Returns: [count, columns], valid until the next call.
    func outputs(
        count: Int, _ write: (UnsafeMutableBufferPointer<Float>) -> Void
    ) throws -> UnsafeBufferPointer<Float> {
        let session = try session(count)
        guard let input = session.input(inputName) else {
            throw TrainingError.mismatch("the input '\(inputName)' does not hold float32 numbers")
        }
        write(input)
        try session.forward()
        return session.outputs[0]
    }

    /// Gradients by the inputs of the last call of ``outputs(count:_:)``.
    ///
    /// - Parameter write: fills the gradient of the outputs, [count, columns].
    func gradient(
        count: Int, _ write: (UnsafeMutableBufferPointer<Float>) -> Void
    ) throws -> UnsafeBufferPointer<Float> {
        let session = try session(count)
        write(session.outputGradients[0])
        try session.backward()
        guard let gradient = session.inputGradient(inputName) else {
            throw TrainingError.mismatch("the outputs do not depend on '\(inputName)'")
        }
        return gradient
    }

    private func session(_ count: Int) throws -> TrainingSession {
        if let session = sessions[count] { return session }
        var options = TrainingSession.Options(
            phase: .training(frozenNormalization: true, seed: 0), threads: lane.threads)
        options.inputGradients = true
        options.parameterGradients = false
        let resolved = try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: count))
        let session = try TrainingSession(
            resolved, outputs: [output], parameters: parameters, options: options)
        sessions[count] = session
        return session
    }
}
