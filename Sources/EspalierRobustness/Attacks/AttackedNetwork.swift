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
    private let inputName: String
    /// The class of each sample.
    package let classes: [Int32]
    /// Samples that are run at a time; fewer are filled up.
    package let batchSize: Int
    private let session: TrainingSession

    /// - Parameters:
    ///   - dataset: with classes and one input.
    ///   - batchSize: at most; has no influence on the results but rounding.
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network, have no classes or several inputs;
    ///   ``ResolutionError``.
    package init(
        _ graph: Graph, dataset: Dataset, units: InputUnits? = nil, batchSize: Int = 250, lane: Lane
    ) throws {
        guard case .classes(let classes, _) = dataset.labels, dataset.inputs.count == 1,
            let input = graph.inputs.first
        else {
            throw TrainingError.mismatch("an attack needs samples of one input, with classes")
        }
        self.dataset = dataset
        self.classes = classes
        self.units = units ?? InputUnits(dataset)
        self.lane = lane
        self.batchSize = min(batchSize, dataset.sampleCount)
        inputName = graph.name(of: input)
        let binding = try InputBinding(graph, dataset)
        let output = try graph.lossOutput(for: dataset, batchSize: 1)
        let resolved = try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: self.batchSize))
        var options = TrainingSession.Options(
            phase: .training(frozenNormalization: true, seed: 0), threads: lane.threads)
        options.inputGradients = true
        options.parameterGradients = false
        // No parameter has a gradient: that is half of a backward pass.
        let parameters = ParameterStore(resolved, trainable: [])
        session = try lane.run {
            try TrainingSession(resolved, outputs: [output], parameters: parameters, options: options)
        }
    }

    /// The numbers of one sample.
    package var sampleSize: Int { dataset.x.count / dataset.sampleCount }

    /// Outputs of inputs as the network is given them.
    ///
    /// - Parameters:
    ///   - count: at most ``batchSize``.
    ///   - write: fills the beginning of the network's input, [count, ...].
    /// - Returns: [count, columns], valid until the next call.
    package func outputs(
        count: Int, _ write: (UnsafeMutableBufferPointer<Float>) -> Void
    ) throws -> UnsafeBufferPointer<Float> {
        guard let input = session.input(inputName) else {
            throw TrainingError.mismatch("the input '\(inputName)' does not hold float32 numbers")
        }
        write(input)
        try session.forward()
        return outputs(count: count)
    }

    /// Those of the last run.
    package func outputs(count: Int) -> UnsafeBufferPointer<Float> {
        let outputs = session.outputs[0]
        return UnsafeBufferPointer(rebasing: outputs[..<(outputs.count / batchSize * count)])
    }

    /// Gradients by the inputs of the last call of ``outputs(count:_:)``.
    ///
    /// - Parameter write: fills the beginning of the gradient of the outputs, [count, columns].
    func gradient(
        count: Int, _ write: (UnsafeMutableBufferPointer<Float>) -> Void
    ) throws -> UnsafeBufferPointer<Float> {
        write(session.outputGradients[0])
        try session.backward()
        guard let gradient = session.inputGradient(inputName) else {
            throw TrainingError.mismatch("the outputs do not depend on '\(inputName)'")
        }
        return UnsafeBufferPointer(rebasing: gradient[..<(gradient.count / batchSize * count)])
    }
}
