import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors

/// What lowering a network forward left behind for lowering it backward.
struct NodeRecord {
    var node: Node
    var operation: any Operator
    var signature: Signature
    var kernel: any Kernel
    var workspace: BufferID?
}

/// Turns the nodes that the wanted values depend on into steps.
///
/// Each value has one or more *placements*: the buffer its producer wrote, and copies in other layouts made when a
/// reader asked for them. Readers are offered the first, so that blocked layouts travel from layer to layer.
struct ForwardLowering {
    let resolved: ResolvedGraph
    let phase: Phase
    let threads: Int
    /// Memory of the constants that may change between runs: a training session's parameters.
    let mutableConstants: [ValueID: UnsafeMutableRawPointer]
    private let fuses: Bool
    private let sparsity: SparsityUse
    private let precision: Precision
    /// Of parameters that change in training, with zeros that stay.
    private let masks: MaskSet
    let allowsWinograd: Bool
    /// Mutable constants and all that is computed from them: what these are now is not known for good.
    private let mutableValues: Set<ValueID>

    var builder = ProgramBuilder()
    private(set) var records: [NodeRecord] = []
    private var placements: [ValueID: [BufferID]] = [:]

    init(
        _ resolved: ResolvedGraph, phase: Phase, threads: Int,
        mutableConstants: [ValueID: UnsafeMutableRawPointer] = [:], fuses: Bool = false,
        sparsity: SparsityUse = .never, precision: Precision = .float32, masks: MaskSet = MaskSet(),
        allowsWinograd: Bool = false
    ) {
        self.resolved = resolved
        self.phase = phase
        self.threads = threads
        self.mutableConstants = mutableConstants
        mutableValues = mutableConstants.isEmpty ? [] : resolved.graph.values(from: mutableConstants.keys)
        self.fuses = fuses
        self.sparsity = sparsity
        self.precision = precision
        self.masks = masks
        self.allowsWinograd = allowsWinograd
    }

    /// The masks of a node's inputs, where they have some.
    func masks(of node: Node) -> [Mask?] { node.inputs.map { $0.flatMap { masks[$0] } } }

    /// Adds the steps for `targets` and returns their row-major buffers, which stay valid after a run.
    mutating func lower(_ targets: [ValueID]) throws(ExecutionError) -> [BufferID] {
        let fusion = fuses ? FusionPlan(resolved, keeping: Set(targets)) : FusionPlan()
        for input in resolved.graph.inputs {
            guard let facts = resolved.facts[input] else {
                throw .unresolved(
                    "the type or shape of input '\(resolved.graph.name(of: input))' is not known")
            }
            try requireMemory(facts, of: resolved.graph.name(of: input))
            let byteCount = facts.shape.count * facts.dtype.byteCount
            placements[input] = [builder.addBuffer(byteCount: byteCount, place: .persistent)]
        }
        let needed = nodesNeeded(for: targets)
        let nodes = resolved.graph.nodes.filter { needed.contains($0.id) && !fusion.isAbsorbed($0.id) }
        // Before anything is made of their sizes; what is fused may have to run by itself.
        for node in resolved.graph.nodes where needed.contains(node.id) {
            for facts in resolved.signatures[node.id]?.outputs ?? [] {
                try requireMemory(facts, of: node.label)
            }
        }
        let plan = SparsityPlan(
            sparsity, precision, resolved, nodes: nodes, fusion: fusion, targets: targets)
        for node in nodes {
            try lower(node, chain: fusion.chain(from: node.id), plan)
        }
        var results: [BufferID] = []
        for target in targets {
            let buffer = try place(target, in: .plain, for: nil)
            builder.makePersistent(buffer)
            results.append(buffer)
        }
        return results
    }

    /// The buffer with the graph input's data, for the caller to write.
    func inputBuffer(_ input: ValueID) -> BufferID? { placements[input]?.first }

    /// The nodes that `targets` depend on and that are not known without computing.
    private func nodesNeeded(for targets: [ValueID]) -> Set<NodeID> {
        var values = Set(targets)
        var nodes: Set<NodeID> = []
        for node in resolved.graph.nodes.reversed() {
            guard node.outputs.contains(where: { $0.map(values.contains) ?? false }) else { continue }
            // What is known in advance needs no computing.
            if node.outputs.allSatisfy({ $0 == nil || isKnown($0) }) { continue }
            nodes.insert(node.id)
            values.formUnion(node.dependencies)
        }
        return nodes
    }

    private func isKnown(_ value: ValueID?) -> Bool {
        guard let value, !mutableValues.contains(value) else { return false }
        return resolved.facts[value]?.constant != nil
    }

    // MARK: One node

    private mutating func lower(
        _ node: Node, chain: [FusionPlan.Link], _ plan: SparsityPlan
    ) throws(ExecutionError) {
        guard let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id] else {
            let reason = resolved.opaque[node.id].map { "\($0)" } ?? "its types are not known"
            throw .opaqueNode(name: node.label, reason: reason)
        }
        var inputs = node.inputs
        for link in chain { if let addend = link.addend { inputs.append(addend) } }
        var offered: [Layout] = []
        for input in inputs {
            offered.append(try input.map { value throws(ExecutionError) in try firstLayout(value) } ?? .plain)
        }
        let team = team(node, operation: operation, signature: signature, plan)
        let context = LoweringContext(
            signature: signature, inputLayouts: offered, phase: phase, threads: team,
            usesSparsity: plan.usesSparsity(node.id), precision: precision, epilogues: chain.map(\.step),
            masks: masks(of: node), allowsWinograd: allowsWinograd)
        let made = try ThreadTeam.with(team) { () throws(ExecutionError) in
            try makeKernel(node, operation: operation, context: context)
        }
        guard let kernel = made else {
            for single in [node] + chain.map(\.node) { try lower(single, chain: [], plan) }
            return
        }
        var inputBuffers: [BufferID?] = []
        for (port, input) in inputs.enumerated() {
            let wanted = port < kernel.inputLayouts.count ? kernel.inputLayouts[port] : .plain
            inputBuffers.append(
                try input.map { value throws(ExecutionError) in try place(value, in: wanted, for: node) })
        }
        // The last node of a fused chain names the value that is stored.
        var stored = node.outputs
        if let last = chain.last { stored[0] = last.output }
        var outputBuffers: [BufferID?] = []
        for (port, output) in stored.enumerated() {
            guard let output, signature.outputs.indices.contains(port) else {
                outputBuffers.append(nil)
                continue
            }
            let layout = kernel.outputLayouts[port]
            let facts = signature.outputs[port]
            let buffer = builder.addBuffer(
                byteCount: layout.byteCount(shape: facts.shape, dtype: facts.dtype), layout: layout)
            placements[output] = [buffer]
            outputBuffers.append(buffer)
        }
        let workspace =
            kernel.workspaceByteCount > 0 ? builder.addBuffer(byteCount: kernel.workspaceByteCount) : nil
        builder.addStep(
            Step(
                kernel: kernel, inputs: inputBuffers, outputs: outputBuffers, workspace: workspace,
                subject: .node(node.id, fused: chain.map(\.node.id)),
                label: ([node] + chain.map(\.node)).map(\.label).joined(separator: " + "),
                format: kernel.weightFormat ?? plan.format(node.id), threads: team))
        records.append(
            NodeRecord(
                node: node, operation: operation, signature: signature, kernel: kernel, workspace: workspace))
    }

    /// - Throws: ``ExecutionError`` if one value is larger than the machine's memory: before there is a kernel for it.
    private func requireMemory(_ facts: ValueFacts, of name: String) throws(ExecutionError) {
        if let problem = PhysicalMemory.problem(taking: facts.shape.count * facts.dtype.byteCount) {
            throw .insufficientMemory(name: name, reason: "a value of shape \(facts.shape) \(problem)")
        }
    }

    /// The threads that a node is worth.
    private func team(
        _ node: Node, operation: any Operator, signature: Signature, _ plan: SparsityPlan
    ) -> Int {
        // Batches to learn from are seldom small.
        guard phase == .inference else { return threads }
        let dense = operation.multiplyAccumulates(signature, nonzeros: signature.inputs.map { _ in nil })
        let facts = signature.inputs.compactMap { $0 } + signature.outputs
        let work =
            plan.teamWork(node.id)
            ?? (dense > 0
                ? .product(.dense, multiplyAccumulates: dense)
                : .moving(byteCount: facts.reduce(0) { $0 + $1.shape.count * $1.dtype.byteCount }))
        return ThreadTeam.size(for: work, of: threads)
    }

    /// The kernel, or nil if only the reference could run the node, which cannot apply the epilogues asked for.
    private func makeKernel(
        _ node: Node, operation: any Operator, context: LoweringContext
    ) throws(ExecutionError) -> (any Kernel)? {
        let reals = (context.signature.inputs.compactMap { $0 } + context.signature.outputs).map(\.dtype)
            .filter(\.isFloatingPoint)
        guard let lowering = operation as? any Lowering, reals.allSatisfy({ $0 == .float32 }) else {
            return context.epilogues.isEmpty ? ReferenceKernel(operation, signature: context.signature) : nil
        }
        do throws(OperatorError) {
            return try lowering.lower(context)
        } catch .unsupported {
            return context.epilogues.isEmpty ? ReferenceKernel(operation, signature: context.signature) : nil
        } catch {
            throw ExecutionError(node, error)
        }
    }

    // MARK: Placements

    private mutating func firstLayout(_ value: ValueID) throws(ExecutionError) -> Layout {
        // First the placement, which may add a buffer; the builder is read after that.
        let buffer = try firstPlacement(value)
        return builder.layout(of: buffer)
    }

    private mutating func firstPlacement(_ value: ValueID) throws(ExecutionError) -> BufferID {
        if let buffer = placements[value]?.first { return buffer }
        let buffer: BufferID
        if let pointer = mutableConstants[value] {
            let facts = resolved.facts[value]
            let byteCount = (facts?.shape.count ?? 0) * (facts?.dtype.byteCount ?? 4)
            buffer = builder.addBuffer(byteCount: byteCount, place: .external(pointer))
        } else if let constant = resolved.facts[value]?.constant {
            buffer = builder.addBuffer(
                byteCount: constant.byteCount, place: .external(constant.storage.base),
                owner: constant.storage)
        } else {
            throw .unresolved("nothing computes '\(resolved.graph.name(of: value))'")
        }
        placements[value] = [buffer]
        return buffer
    }

    /// The value's buffer in the wanted layout, by a reorder if there is none yet.
    mutating func place(
        _ value: ValueID, in layout: Layout, for node: Node?
    ) throws(ExecutionError) -> BufferID {
        let first = try firstPlacement(value)
        let known = placements[value] ?? []
        if let match = known.first(where: { builder.layout(of: $0) == layout }) { return match }
        guard let facts = resolved.facts[value] else { return first }
        let isConstant = facts.constant != nil && !mutableValues.contains(value)
        let work = ThreadTeam.Work.moving(byteCount: 2 * facts.shape.count * facts.dtype.byteCount)
        let copy = try builder.addReorder(
            first, of: value, shape: facts.shape, to: layout, isPreparation: isConstant,
            threads: phase == .inference ? ThreadTeam.size(for: work, of: threads) : threads,
            label: resolved.graph.name(of: value))
        placements[value, default: []].append(copy)
        return copy
    }
}

extension Graph {
    /// Some values, and all that depends on them.
    fileprivate func values(from origins: some Sequence<ValueID>) -> Set<ValueID> {
        var values = Set(origins)
        for node in nodes where !values.isDisjoint(with: node.dependencies) {
            for case let output? in node.outputs { values.insert(output) }
        }
        return values
    }
}

extension ProgramBuilder {
    /// A copy of `buffer` in another layout.
    ///
    /// - Parameter value: what is copied, or of which the gradient is.
    mutating func addReorder(
        _ buffer: BufferID, of value: ValueID, shape: Shape, to layout: Layout, isPreparation: Bool = false,
        into target: BufferID? = nil, threads: Int? = nil, label: String
    ) throws(ExecutionError) -> BufferID {
        let copy =
            target
            ?? addBuffer(
                byteCount: layout.byteCount(shape: shape, dtype: .float32),
                place: isPreparation ? .persistent : .arena, layout: layout)
        do throws(OperatorError) {
            let source = self.layout(of: buffer)
            let kernel = try ThreadTeam.with(threads ?? ThreadTeam.count) { () throws(OperatorError) in
                try Layout.reorder(from: source, to: layout, shape: shape)
            }
            addStep(
                Step(
                    kernel: kernel, inputs: [buffer], outputs: [copy], workspace: nil,
                    subject: .value(value), label: "reorder \(label)", threads: threads,
                    isPreparation: isPreparation))
        } catch {
            throw .node(name: label, operator: "reorder", reason: "\(error)")
        }
        return copy
    }
}
