package import EspalierOperators
package import EspalierTensors

/// Runs kernels on tensors the way an executor would, and watches them: outputs and scratch start out poisoned, every
/// block is guarded, layouts are converted on the way in and out, and each kernel runs twice, since a plan runs it
/// again and again on the same memory.
package final class KernelRunner {
    package let kernel: any Kernel
    /// What the kernel did wrong: guards overwritten, inputs changed, two runs that differ.
    package private(set) var problems: [String] = []
    /// The memory for its backward kernel.
    package private(set) var workspace: GuardedMemory

    /// - Parameter workspace: the forward kernel's, for a backward kernel.
    package init(_ kernel: any Kernel, workspace: GuardedMemory? = nil) {
        self.kernel = kernel
        self.workspace = workspace ?? GuardedMemory(byteCount: kernel.workspaceByteCount)
    }

    /// The outputs, plain; nil where `outputs` is.
    ///
    /// - Parameters:
    ///   - inputs: plain tensors; nil for a port without memory.
    ///   - outputs: the type and shape of every output; nil for one that is not wanted.
    ///   - inPlace: lets output 0 take the memory of the kernel's `inPlaceInput`.
    ///   - repeated: whether to run twice and compare.
    package func run(
        _ inputs: [Tensor?], outputs: [ValueFacts?], inPlace: Bool = false, repeated: Bool = true
    ) throws(OperatorError) -> [Tensor?] {
        let first = try runOnce(inputs, outputs: outputs, inPlace: inPlace)
        guard repeated else { return first }
        let second = try runOnce(inputs, outputs: outputs, inPlace: inPlace)
        for (port, (one, other)) in zip(first, second).enumerated() {
            guard let one, let other else { continue }
            if let problem = difference(other, from: one, .exact) {
                problems.append("a second run gives another output \(port): \(problem)")
            }
        }
        return first
    }

    private func runOnce(
        _ inputs: [Tensor?], outputs: [ValueFacts?], inPlace: Bool
    ) throws(OperatorError) -> [Tensor?] {
        var inputMemory: [GuardedMemory?] = []
        for (port, tensor) in inputs.enumerated() {
            guard let tensor else { inputMemory.append(nil); continue }
            let layout = layout(kernel.inputLayouts, port)
            // What is not read may be anything: the executor gives its memory to other values.
            inputMemory.append(
                kernel.unreadInputs.contains(port)
                    ? GuardedMemory(byteCount: layout.byteCount(shape: tensor.shape, dtype: tensor.dtype))
                    : try Self.memory(holding: tensor, in: layout))
        }
        let before = inputMemory.map { $0?.tensor(shape: [$0?.byteCount ?? 0], dtype: .uint8) }
        var outputMemory: [GuardedMemory?] = outputs.enumerated().map { port, facts in
            facts.map { facts in
                GuardedMemory(
                    byteCount: layout(kernel.outputLayouts, port)
                        .byteCount(shape: facts.shape, dtype: facts.dtype))
            }
        }
        var shared: Int?
        if inPlace, let port = kernel.inPlaceInput, !outputMemory.isEmpty {
            if let input = inputMemory[port], let output = outputMemory[0],
                input.byteCount >= output.byteCount
            {
                outputMemory[0] = input
                shared = port
            } else {
                problems.append("output 0 does not fit into input \(port), whose memory it may take over")
            }
        }
        let scratch = GuardedMemory(byteCount: kernel.scratchByteCount)
        kernel.bind(
            KernelMemory(
                inputs: inputMemory.map { $0?.base }, outputs: outputMemory.map { $0?.base },
                scratch: scratch.base, workspace: workspace.base))
        kernel.run()
        if let failure = kernel.failure { throw failure }

        for (name, memory) in [("scratch", scratch), ("workspace", workspace)] where !memory.isIntact {
            problems.append("writes outside its \(name)")
        }
        for (port, memory) in inputMemory.enumerated() {
            guard let memory, port != shared, !kernel.mutatedInputs.contains(port) else { continue }
            let after = memory.tensor(shape: [memory.byteCount], dtype: .uint8)
            if !memory.isIntact || difference(after, from: before[port] ?? after, .exact) != nil {
                problems.append("changes its input \(port)")
            }
        }
        var results: [Tensor?] = []
        for (port, facts) in outputs.enumerated() {
            guard let facts, let memory = outputMemory[port] else { results.append(nil); continue }
            if !memory.isIntact { problems.append("writes outside output \(port)") }
            results.append(try Self.tensor(in: memory, layout(kernel.outputLayouts, port), facts))
        }
        return results
    }

    private func layout(_ layouts: [Layout], _ port: Int) -> Layout {
        layouts.indices.contains(port) ? layouts[port] : .plain
    }

    private static func memory(
        holding tensor: Tensor, in layout: Layout
    ) throws(OperatorError) -> GuardedMemory {
        let plain = GuardedMemory(byteCount: tensor.byteCount)
        plain.copy(tensor)
        guard layout != .plain else { return plain }
        let result = GuardedMemory(byteCount: layout.byteCount(shape: tensor.shape, dtype: tensor.dtype))
        try reorder(plain, .plain, to: result, layout, shape: tensor.shape)
        return result
    }

    private static func tensor(
        in memory: GuardedMemory, _ layout: Layout, _ facts: ValueFacts
    ) throws(OperatorError) -> Tensor {
        guard layout != .plain else { return memory.tensor(shape: facts.shape, dtype: facts.dtype) }
        let plain = GuardedMemory(byteCount: facts.shape.count * facts.dtype.byteCount)
        try reorder(memory, layout, to: plain, .plain, shape: facts.shape)
        return plain.tensor(shape: facts.shape, dtype: facts.dtype)
    }

    private static func reorder(
        _ source: GuardedMemory, _ from: Layout, to target: GuardedMemory, _ to: Layout, shape: Shape
    ) throws(OperatorError) {
        let kernel = try Layout.reorder(from: from, to: to, shape: shape)
        let scratch = GuardedMemory(byteCount: kernel.scratchByteCount)
        kernel.bind(
            KernelMemory(inputs: [source.base], outputs: [target.base], scratch: scratch.base))
        kernel.run()
    }
}
