import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Reverse-mode differentiation of a lowered network, as more steps of the same program.
struct BackwardLowering {
    var forward: ForwardLowering
    private let resolved: ResolvedGraph
    /// The gradients that flowed into each value so far.
    private var contributions: [ValueID: [BufferID]] = [:]
    /// Values whose gradient is wanted, or which depend on one.
    private var active: Set<ValueID>
    /// The values whose axis 0 is the samples; nil for all.
    private var sampleValues: Set<ValueID>?

    /// - Parameter targets: parameters and graph inputs whose gradients are wanted.
    init(_ forward: ForwardLowering, targets: Set<ValueID>) {
        self.forward = forward
        resolved = forward.resolved
        active = targets
        for record in forward.records {
            let dependsOnTarget = record.node.inputs.enumerated().contains { port, input in
                guard let input, active.contains(input) else { return false }
                guard let operation = record.operation as? any Differentiable else { return true }
                return operation.hasGradient(input: port, signature: record.signature)
            }
            if dependsOnTarget { active.formUnion(record.node.outputs.compactMap { $0 }) }
        }
    }

    /// Which parameters' squared per-sample gradients to add up, and where.
    typealias Destinations = [ValueID: UnsafeMutableRawPointer]

    /// Adds the backward steps.
    ///
    /// - Parameters:
    ///   - seeds: values whose gradients the caller will write.
    ///   - gradients: where to write the gradients of parameters; row-major. A parameter that has a place in `squares`
    ///     and none here gets no plain gradient.
    ///   - squares: where to write sums of squared per-sample gradients of parameters; row-major.
    ///   - sampleValues: the values whose axis 0 is the samples; nil for all.
    /// - Returns: the buffers of the seeds.
    mutating func lower(
        seeds: [ValueID], gradients: Destinations, squares: Destinations = [:],
        sampleValues: Set<ValueID>? = nil
    ) throws(ExecutionError) -> [BufferID] {
        self.sampleValues = sampleValues
        var seedBuffers: [BufferID] = []
        for seed in seeds {
            let count = resolved.facts[seed]?.shape.count ?? 0
            let buffer = forward.builder.addBuffer(byteCount: count * 4, place: .persistent)
            contributions[seed] = [buffer]
            seedBuffers.append(buffer)
        }
        let uses = gradientUses()
        for record in forward.records.reversed() {
            try lower(record, gradients: gradients, squares: squares, uses: uses)
        }
        for (value, destination) in gradients.sorted(by: { $0.key < $1.key }) {
            try gather(value, into: destination, uses: uses)
        }
        return seedBuffers
    }

    /// The row-major gradient of a graph input, valid after a run; nil if the seeds do not depend on it.
    mutating func inputGradient(_ input: ValueID) throws(ExecutionError) -> BufferID? {
        guard let buffer = try sum(input) else { return nil }
        var plain = buffer
        if forward.builder.layout(of: buffer) != .plain {
            plain = try forward.builder.addReorder(
                buffer, of: input, shape: resolved.facts[input]?.shape ?? [], to: .plain, label: "gradient")
        }
        forward.builder.makePersistent(plain)
        return plain
    }

    /// How many gradients each parameter will receive.
    private func gradientUses() -> [ValueID: Int] {
        var uses: [ValueID: Int] = [:]
        for record in forward.records {
            guard let operation = record.operation as? any Differentiable else { continue }
            for (port, input) in record.node.inputs.enumerated() {
                guard let input, operation.hasGradient(input: port, signature: record.signature) else {
                    continue
                }
                uses[input, default: 0] += 1
            }
        }
        return uses
    }

    private mutating func lower(
        _ record: NodeRecord, gradients: Destinations, squares: Destinations, uses: [ValueID: Int]
    ) throws(ExecutionError) {
        let node = record.node
        var outputGradients: [BufferID?] = []
        for port in record.signature.outputs.indices {
            let output = node.outputs.indices.contains(port) ? node.outputs[port] : nil
            outputGradients.append(try output.flatMap { value throws(ExecutionError) in try sum(value) })
        }
        guard outputGradients.contains(where: { $0 != nil }),
            node.inputs.contains(where: { $0.map(active.contains) ?? false })
        else { return }
        guard let operation = record.operation as? any Differentiable else {
            throw .notDifferentiable(
                name: node.label, operator: "\(node.operatorName)", reason: "the operator defines none")
        }
        let wanted = node.inputs.enumerated().map { port, input in
            guard let input, active.contains(input) else { return false }
            return (gradients[input] != nil || squares[input] == nil)
                && operation.hasGradient(input: port, signature: record.signature)
        }
        func context(wanting wanted: [Bool]) -> BackwardContext {
            BackwardContext(
                signature: record.signature, forward: record.kernel,
                outputGradientLayouts: outputGradients.map { $0.map(forward.builder.layout(of:)) ?? .plain },
                wanted: wanted, phase: forward.phase, threads: forward.threads,
                masks: forward.masks(of: node), allowsWinograd: forward.allowsWinograd)
        }
        if wanted.contains(true) {
            let kernel = try make(record) { () throws(OperatorError) in
                try operation.lowerBackward(context(wanting: wanted))
            }
            try addStep(
                record, kernel: kernel, outputGradients: outputGradients, wanted: wanted, suffix: "backward"
            ) {
                lowering, port, layout in
                guard let input = node.inputs[port] else { return nil }
                if let destination = gradients[input], uses[input] == 1, layout == .plain {
                    return lowering.forward.builder.addBuffer(
                        byteCount: lowering.byteCount(of: input, in: layout), place: .external(destination))
                }
                let buffer = lowering.forward.builder.addBuffer(
                    byteCount: lowering.byteCount(of: input, in: layout), layout: layout)
                lowering.contributions[input, default: []].append(buffer)
                return buffer
            }
        }
        let squared = node.inputs.map { $0.map { squares[$0] != nil } ?? false }
        if squared.contains(true) {
            // The square of a sum is not the sum of squares: uses cannot be squared one by one.
            for (port, input) in node.inputs.enumerated() where squared[port] {
                guard let input, uses[input, default: 0] > 1 else { continue }
                throw .notDifferentiable(
                    name: node.label, operator: "\(node.operatorName)",
                    reason: "'\(resolved.graph.name(of: input))' is used more than once, so its per-sample "
                        + "gradients cannot be squared use by use")
            }
            guard let perSample = operation as? any PerSampleSquares else {
                throw .notDifferentiable(
                    name: node.label, operator: "\(node.operatorName)",
                    reason: "the operator has no per-sample gradients")
            }
            try checkSamples(of: node)
            let kernel = try make(record) { () throws(OperatorError) in
                try perSample.lowerPerSampleSquares(context(wanting: squared))
            }
            try addStep(
                record, kernel: kernel, outputGradients: outputGradients, wanted: squared, suffix: "squares"
            ) {
                lowering, port, layout in
                guard let input = node.inputs[port], let destination = squares[input] else { return nil }
                return lowering.forward.builder.addBuffer(
                    byteCount: lowering.byteCount(of: input, in: layout), place: .external(destination))
            }
        }
    }

    /// Kernels of squares take axis 0 for the samples, and would square each position by itself where it is samples and positions.
    private func checkSamples(of node: Node) throws(ExecutionError) {
        guard let sampleValues else { return }
        for value in (node.inputs + node.outputs.prefix(1)).compactMap({ $0 })
        where resolved.graph.constants[value] == nil && !sampleValues.contains(value) {
            throw .notDifferentiable(
                name: node.label, operator: "\(node.operatorName)",
                reason:
                    "axis 0 of '\(resolved.graph.name(of: value))' is not the samples, so their gradients "
                    + "cannot be told apart")
        }
    }

    private func byteCount(of value: ValueID, in layout: Layout) -> Int {
        layout.byteCount(shape: resolved.facts[value]?.shape ?? [], dtype: .float32)
    }

    private func make(
        _ record: NodeRecord, _ body: () throws(OperatorError) -> any Kernel
    ) throws(ExecutionError) -> any Kernel {
        do throws(OperatorError) {
            return try body()
        } catch .unsupported(let reason) {
            throw .notDifferentiable(
                name: record.node.label, operator: "\(record.node.operatorName)", reason: reason)
        } catch {
            throw ExecutionError(record.node, error)
        }
    }

    /// Adds a backward kernel: its inputs are the node's inputs, outputs, and gradients of outputs.
    private mutating func addStep(
        _ record: NodeRecord, kernel: any Kernel, outputGradients: [BufferID?], wanted: [Bool],
        suffix: String,
        output makeOutput: (inout BackwardLowering, Int, Layout) -> BufferID?
    ) throws(ExecutionError) {
        let values =
            record.node.inputs
            + record.signature.outputs.indices.map { port in
                record.node.outputs.indices.contains(port) ? record.node.outputs[port] : nil
            }
        var inputs: [BufferID?] = []
        for (port, value) in values.enumerated() {
            guard let value, !kernel.unreadInputs.contains(port) else {
                inputs.append(nil)
                continue
            }
            inputs.append(try forward.place(value, in: kernel.inputLayouts[port], for: record.node))
        }
        for (port, gradient) in outputGradients.enumerated() {
            guard let gradient, let output = values[record.node.inputs.count + port] else {
                inputs.append(nil)
                continue
            }
            let layout = kernel.inputLayouts[values.count + port]
            if forward.builder.layout(of: gradient) == layout {
                inputs.append(gradient)
            } else {
                inputs.append(
                    try forward.builder.addReorder(
                        gradient, of: output, shape: record.signature.outputs[port].shape, to: layout,
                        label: "gradient of \(record.node.label)"))
            }
        }
        var outputs: [BufferID?] = []
        for port in record.node.inputs.indices {
            outputs.append(wanted[port] ? makeOutput(&self, port, kernel.outputLayouts[port]) : nil)
        }
        forward.builder.addStep(
            Step(
                kernel: kernel, inputs: inputs, outputs: outputs, workspace: record.workspace,
                subject: .node(record.node.id), label: "\(record.node.label) \(suffix)"))
    }

    /// One buffer with the sum of the gradients that flowed into `value`; nil if none did.
    private mutating func sum(_ value: ValueID) throws(ExecutionError) -> BufferID? {
        guard let parts = contributions[value], let first = parts.first else { return nil }
        guard parts.count > 1 else { return first }
        let layout = forward.builder.layout(of: first)
        let total = try add(parts, value: value, layout: layout, into: nil)
        contributions[value] = [total]
        return total
    }

    /// Delivers a parameter's gradient, unless its only kernel has already written it there.
    private mutating func gather(
        _ value: ValueID, into destination: UnsafeMutableRawPointer, uses: [ValueID: Int]
    ) throws(ExecutionError) {
        guard let parts = contributions[value], !parts.isEmpty else { return }
        let target = forward.builder.addBuffer(
            byteCount: byteCount(of: value, in: .plain), place: .external(destination))
        _ = try add(parts, value: value, layout: .plain, into: target)
    }

    private mutating func add(
        _ parts: [BufferID], value: ValueID, layout: Layout, into target: BufferID?
    ) throws(ExecutionError) -> BufferID {
        let label = "gradient of \(resolved.graph.name(of: value))"
        var aligned: [BufferID] = []
        for part in parts {
            if forward.builder.layout(of: part) == layout {
                aligned.append(part)
            } else {
                aligned.append(
                    try forward.builder.addReorder(
                        part, of: value, shape: resolved.facts[value]?.shape ?? [], to: layout, label: label))
            }
        }
        let byteCount = byteCount(of: value, in: layout)
        let total = target ?? forward.builder.addBuffer(byteCount: byteCount, layout: layout)
        let kernel = SumKernel(inputs: aligned.count, count: byteCount / 4, layout: layout)
        forward.builder.addStep(
            Step(
                kernel: kernel, inputs: aligned.map { $0 }, outputs: [total], workspace: nil,
                subject: .value(value), label: label))
        return total
    }
}

/// The elementwise sum of values in one layout.
private final class SumKernel: Kernel {
    let inputLayouts: [Layout]
    let outputLayouts: [Layout]
    let inPlaceInput: Int? = 0
    private let count: Int
    private var memory = KernelMemory(inputs: [], outputs: [])

    init(inputs: Int, count: Int, layout: Layout) {
        inputLayouts = [Layout](repeating: layout, count: inputs)
        outputLayouts = [layout]
        self.count = count
    }

    func bind(_ memory: KernelMemory) { self.memory = memory }

    func run() {
        guard let output = memory.output(0)?.assumingMemoryBound(to: Float.self),
            let first = memory.input(0)?.assumingMemoryBound(to: Float.self)
        else { return }
        if first != output { output.update(from: first, count: count) }
        for port in 1..<memory.inputs.count {
            guard let other = memory.input(port)?.assumingMemoryBound(to: Float.self) else { continue }
            for index in 0..<count { output[index] += other[index] }
        }
    }
}
