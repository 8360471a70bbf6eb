package import EspalierGraphs
package import EspalierOperators
package import EspalierTensors

/// A network planned for gradients at one batch size: write the inputs, run forward, write the gradient of the
/// outputs, run backward, and find the gradients in the parameter store.
///
/// The loss stands outside, so that every loss, distillation and probe uses the same program.
package final class TrainingSession {
    /// What a backward pass collects.
    package struct Options: Sendable {
        package var phase: Phase
        package var threads: Int
        /// Also the gradients of the graph's real inputs.
        package var inputGradients = false
        /// Also sums over the batch of squared per-sample gradients; see ``squares(of:)``.
        package var perSampleSquares = false
        /// The values whose axis 0 is the samples, where squares are asked for: beside others the samples of a layer cannot be told
        /// apart, which is refused as ``ExecutionError/notDifferentiable(name:operator:reason:)``. nil for all values.
        package var sampleValues: Set<ValueID>?
        /// Whether parameters get their plain gradients; without, only squares are computed.
        package var parameterGradients = true
        /// Whether ``backward()`` may be called several times after one ``forward()``, with other gradients of the
        /// outputs; takes more memory.
        package var repeatsBackward = false
        /// Of parameters whose dropped elements are zero and stay so. Where that pays they are left out of products, and their
        /// gradients are zero.
        package var masks = MaskSet()
        /// Whether convolutions may be computed by Winograd's method where that is faster, with larger rounding errors: steps of an
        /// optimiser do not mind, measurements might.
        package var allowsWinograd = false

        package init(phase: Phase = .training(frozenNormalization: false, seed: 0), threads: Int = 1) {
            self.phase = phase
            self.threads = threads
        }
    }

    package let parameters: ParameterStore
    private let program: Program
    private let forwardStepCount: Int
    private let inputPointers: [String: (pointer: UnsafeMutableRawPointer, facts: ValueFacts)]
    private let inputGradientPointers: [String: UnsafeMutableRawPointer]
    private let squareStorage: AlignedStorage?
    /// The outputs, in the order given at initialisation.
    package let outputs: [UnsafeBufferPointer<Float>]
    package let outputShapes: [Shape]
    /// Where the caller writes the gradients of the outputs, of the same shapes, before ``backward()``.
    package let outputGradients: [UnsafeMutableBufferPointer<Float>]

    /// - Parameters:
    ///   - resolved: the graph with the batch size bound.
    ///   - outputs: the values on which losses are taken, all `float32`.
    ///   - parameters: shared by all sessions of one training; belongs to the same graph.
    /// - Throws: ``ExecutionError`` naming the node that has no gradient or that oneDNN refuses.
    package init(
        _ resolved: ResolvedGraph, outputs: [ValueID], parameters: ParameterStore,
        options: Options = Options()
    ) throws(ExecutionError) {
        let graph = resolved.graph
        var forward = ForwardLowering(
            resolved, phase: options.phase, threads: options.threads, mutableConstants: parameters.pointers,
            masks: options.masks, allowsWinograd: options.allowsWinograd)
        let outputBuffers = try forward.lower(outputs)
        let inputBuffers = graph.inputs.map { forward.inputBuffer($0) }
        if options.repeatsBackward { forward.builder.repeatsFrom = forward.builder.steps.count }
        forwardStepCount = forward.builder.steps.count { !$0.isPreparation }

        let realInputs =
            options.inputGradients ? graph.inputs.filter { resolved.facts[$0]?.dtype == .float32 } : []
        var squares: [ValueID: UnsafeMutableRawPointer] = [:]
        squareStorage = options.perSampleSquares ? AlignedStorage(byteCount: parameters.extent * 4) : nil
        if let squareStorage {
            for entry in parameters.trainable { squares[entry.value] = squareStorage.base + entry.offset * 4 }
        }
        let gradients = parameters.gradientPointers.filter { pair in
            options.parameterGradients && parameters.trainable.contains { $0.value == pair.key }
        }
        let wanted =
            options.parameterGradients || options.perSampleSquares ? parameters.trainable.map(\.value) : []
        var backward = BackwardLowering(forward, targets: Set(wanted + realInputs))
        let seedBuffers = try backward.lower(
            seeds: outputs, gradients: gradients, squares: squares, sampleValues: options.sampleValues)
        var inputGradientBuffers: [String: BufferID] = [:]
        for input in realInputs {
            inputGradientBuffers[graph.name(of: input)] = try backward.inputGradient(input)
        }
        program = try Program(builder: backward.forward.builder, keeping: parameters.storages)

        self.parameters = parameters
        outputShapes = outputs.map { resolved.facts[$0]?.shape ?? [] }
        self.outputs = zip(outputBuffers, outputShapes).map { [program] buffer, shape in
            UnsafeBufferPointer(
                start: UnsafePointer(program.pointer(buffer)?.assumingMemoryBound(to: Float.self)),
                count: shape.count)
        }
        outputGradients = zip(seedBuffers, outputShapes).map { [program] buffer, shape in
            UnsafeMutableBufferPointer(
                start: program.pointer(buffer)?.assumingMemoryBound(to: Float.self), count: shape.count)
        }
        var inputPointers: [String: (pointer: UnsafeMutableRawPointer, facts: ValueFacts)] = [:]
        for (input, buffer) in zip(graph.inputs, inputBuffers) {
            guard let buffer, let facts = resolved.facts[input], let pointer = program.pointer(buffer) else {
                continue
            }
            inputPointers[graph.name(of: input)] = (pointer, facts)
        }
        self.inputPointers = inputPointers
        inputGradientPointers = inputGradientBuffers.compactMapValues { [program] in program.pointer($0) }
    }

    /// The memory of a `float32` graph input, for the caller to write; nil if there is no such input.
    package func input(_ name: String) -> UnsafeMutableBufferPointer<Float>? {
        guard let entry = inputPointers[name], entry.facts.dtype == .float32 else { return nil }
        return UnsafeMutableBufferPointer(
            start: entry.pointer.assumingMemoryBound(to: Float.self), count: entry.facts.shape.count)
    }

    /// Copies a tensor into a graph input.
    package func setInput(_ name: String, to tensor: Tensor) throws(ExecutionError) {
        guard let entry = inputPointers[name] else {
            throw .unknownInput(name: name, known: inputPointers.keys.sorted())
        }
        guard tensor.shape == entry.facts.shape else {
            throw .inputMismatch(name: name, problem: "shape \(tensor.shape), expected \(entry.facts.shape)")
        }
        tensor.converted(to: entry.facts.dtype).withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: entry.pointer, count: bytes.count).copyMemory(from: bytes)
        }
    }

    /// The gradient with respect to a graph input, after ``backward()``; nil unless asked for.
    package func inputGradient(_ name: String) -> UnsafeBufferPointer<Float>? {
        guard let pointer = inputGradientPointers[name], let entry = inputPointers[name] else { return nil }
        return UnsafeBufferPointer(
            start: UnsafePointer(pointer.assumingMemoryBound(to: Float.self)), count: entry.facts.shape.count)
    }

    /// Sums over the batch of squared per-sample gradients of the last ``backward()``, laid out as the gradients; nil
    /// unless asked for. The gradient of the outputs must be each sample's own (not divided by the batch size).
    package var squares: UnsafeBufferPointer<Float>? {
        squareStorage.map {
            UnsafeBufferPointer(
                start: UnsafePointer($0.base.assumingMemoryBound(to: Float.self)), count: parameters.extent)
        }
    }

    /// Makes what the next forward pass draws (dropout) that of the given step of training; without a call, each pass
    /// draws the next step's.
    package func setRandomStep(_ step: Int) { program.setRandomStep(step) }

    package func forward() throws(ExecutionError) { try program.run(0..<forwardStepCount) }
    package func backward() throws(ExecutionError) { try program.run(forwardStepCount..<program.stepCount) }

    /// Each step's label and whether it runs by its reference: for profiles and warnings.
    package var listing: [StepListing] { program.listing }
    /// The memory of all intermediate values.
    package var arenaByteCount: Int { program.arenaByteCount }
    /// Runs one step: for profiles.
    package func runStep(_ index: Int) { program.runStep(index) }
}
