package import EspalierGraphs
import EspalierKernels
import EspalierOperators
package import EspalierTensors

/// A network planned for inference on inputs of fixed shapes. Belongs to the lane that made it.
package final class InferencePlan {
    private let program: Program
    private let inputs: [ValueID: (pointer: UnsafeMutableRawPointer, facts: ValueFacts)]
    private let outputs: [(pointer: UnsafeMutableRawPointer?, facts: ValueFacts)]
    private let inputNames: [ValueID: String]

    /// - Parameters:
    ///   - outputs: the values to compute.
    ///   - optimizes: whether constants are folded into each other and elementwise nodes fused.
    ///   - sparsity: whether zeros among the weights are left out; nil for where that is faster on typical machines.
    ///   - precision: of products by constant weights.
    /// - Throws: ``ExecutionError`` naming the node that cannot run.
    package init(
        _ graph: Graph, inputShapes: [ValueID: Shape], outputs: [ValueID], threads: Int,
        optimizes: Bool = true, sparsity: SparsityUse? = nil, precision: Precision = .float32
    ) throws(ExecutionError) {
        var resolved = try Self.resolve(Self.asked(graph, for: outputs), inputShapes)
        if optimizes {
            let passes = [Graph.foldingConstants, Graph.recognizingGelu, Graph.foldingChannelAffine]
            for pass in passes {
                guard let simpler = try Self.apply(pass, to: resolved) else { continue }
                resolved = try Self.resolve(simpler, inputShapes)
            }
        }
        var forward = ForwardLowering(
            resolved, phase: .inference, threads: threads, fuses: optimizes,
            sparsity: sparsity ?? .whereFaster(.typical(threads: threads)), precision: precision)
        let outputBuffers = try forward.lower(outputs)
        let inputBuffers = graph.inputs.map { ($0, forward.inputBuffer($0)) }
        let program = try Program(builder: forward.builder)
        self.program = program
        var inputs: [ValueID: (pointer: UnsafeMutableRawPointer, facts: ValueFacts)] = [:]
        for (input, buffer) in inputBuffers {
            guard let buffer, let facts = resolved.facts[input], let pointer = program.pointer(buffer) else {
                continue
            }
            inputs[input] = (pointer, facts)
        }
        self.inputs = inputs
        inputNames = Dictionary(uniqueKeysWithValues: graph.inputs.map { ($0, graph.name(of: $0)) })
        var found: [(pointer: UnsafeMutableRawPointer?, facts: ValueFacts)] = []
        for (output, buffer) in zip(outputs, outputBuffers) {
            guard let facts = resolved.facts[output] else {
                throw .unresolved("the shape of '\(graph.name(of: output))' is not known")
            }
            found.append((program.pointer(buffer), facts))
        }
        self.outputs = found
    }

    /// The network whose outputs are the values that are asked for: simplifying must not take them away.
    private static func asked(_ graph: Graph, for outputs: [ValueID]) throws(ExecutionError) -> Graph {
        guard outputs != graph.outputs else { return graph }
        var patch = Patch(for: graph)
        patch.append(.setOutputs(outputs))
        do throws(GraphError) { return try graph.applying(patch) } catch {
            throw .internalFailure("the values asked for: \(error)")
        }
    }

    private static func apply(
        _ pass: (Graph) -> (ResolvedGraph) throws(GraphError) -> Graph?, to resolved: ResolvedGraph
    ) throws(ExecutionError) -> Graph? {
        do throws(GraphError) {
            return try pass(resolved.graph)(resolved)
        } catch {
            throw .internalFailure("simplifying the graph: \(error)")
        }
    }

    private static func resolve(
        _ graph: Graph, _ shapes: [ValueID: Shape]
    ) throws(ExecutionError) -> ResolvedGraph {
        do throws(ResolutionError) {
            return try ResolvedGraph(graph, inputShapes: shapes)
        } catch {
            throw ExecutionError(error)
        }
    }

    /// Copies the inputs in and computes.
    package func run(_ tensors: [ValueID: Tensor]) throws(ExecutionError) {
        for (id, tensor) in tensors {
            guard let input = inputs[id] else { continue }
            guard tensor.shape == input.facts.shape else {
                throw .inputMismatch(
                    name: inputNames[id] ?? "", problem: "shape \(tensor.shape), planned \(input.facts.shape)"
                )
            }
            tensor.converted(to: input.facts.dtype).withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(start: input.pointer, count: bytes.count).copyMemory(
                    from: bytes)
            }
        }
        try run()
    }

    /// Computes from what is in the inputs' memory.
    package func run() throws(ExecutionError) {
        try program.run(0..<program.stepCount)
    }

    /// The memory of an input, for the caller to write; nil if its elements are of another type.
    package func input<Scalar: TensorScalar>(
        _ id: ValueID, as type: Scalar.Type = Float.self
    ) -> UnsafeMutableBufferPointer<Scalar>? {
        guard let input = inputs[id], input.facts.dtype == type.dtype else { return nil }
        return UnsafeMutableBufferPointer(
            start: input.pointer.assumingMemoryBound(to: type), count: input.facts.shape.count)
    }

    /// A copy of an output of the last run.
    package func output(_ index: Int) -> Tensor {
        let (pointer, facts) = outputs[index]
        return Tensor(shape: facts.shape, dtype: facts.dtype) { bytes in
            guard let pointer else { return }
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: bytes.count))
        }
    }

    /// The elements of an output of the last run; nil if they are of another type.
    package func outputScalars<Scalar: TensorScalar>(
        _ index: Int, as type: Scalar.Type = Float.self
    ) -> UnsafeBufferPointer<Scalar>? {
        let (pointer, facts) = outputs[index]
        guard facts.dtype == type.dtype else { return nil }
        return UnsafeBufferPointer(
            start: UnsafePointer(pointer?.assumingMemoryBound(to: type)), count: facts.shape.count)
    }

    package func outputShape(_ index: Int) -> Shape { outputs[index].facts.shape }

    /// What the steps are.
    package var listing: [StepListing] { program.listing }
    /// The memory of all intermediate values.
    package var arenaByteCount: Int { program.arenaByteCount }
    /// Runs one step: for profiles.
    package func runStep(_ index: Int) { program.runStep(index) }
}
