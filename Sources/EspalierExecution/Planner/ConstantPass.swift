import EspalierGraphs
package import EspalierOperators
import EspalierTensors

extension Graph {
    /// This graph with what its constants alone determine among them: weights that a file keeps in half precision, transposed or
    /// quantized are then packed, and their zeros left out, as others are. nil if there is nothing of the kind.
    ///
    /// The nodes run once, by the kernels that they would have had at every inference. For inference only, in which
    /// nothing is random.
    func foldingConstants(_ resolved: ResolvedGraph) throws(GraphError) -> Graph? {
        let folded = nodesOfConstants(resolved)
        let made = Set(folded.flatMap { $0.outputs.compactMap { $0 } })
        let removed = Set(folded.map(\.id))
        var read = Set(outputs)
        for node in nodes where !removed.contains(node.id) { read.formUnion(node.dependencies) }
        // What only folded nodes read comes and goes.
        let wanted = made.intersection(read).sorted()
        guard !wanted.isEmpty, let tensors = resolved.evaluated(wanted) else { return nil }
        var patch = Patch(for: self)
        for node in folded { patch.append(.remove(node.id)) }
        for (value, tensor) in zip(wanted, tensors) { patch.append(.setConstant(value, tensor)) }
        return try applying(patch)
    }

    /// The nodes all of whose inputs are known before the network runs, in order.
    private func nodesOfConstants(_ resolved: ResolvedGraph) -> [Node] {
        var made: Set<ValueID> = []
        var result: [Node] = []
        for node in nodes {
            guard resolved.operators[node.id] != nil, let signature = resolved.signatures[node.id],
                node.capturedValues.isEmpty, node.outputs.count <= signature.outputs.count,
                node.inputs.contains(where: { $0 != nil }),
                // What inference has found out already takes no step.
                signature.outputs.contains(where: { $0.constant == nil }),
                Self.isWorthKeeping(signature)
            else { continue }
            let isKnown = node.inputs.allSatisfy { input in
                guard let input else { return true }
                return made.contains(input) || resolved.facts[input]?.constant != nil
            }
            guard isKnown else { continue }
            made.formUnion(node.outputs.compactMap { $0 })
            result.append(node)
        }
        return result
    }

    /// Whether a node's outputs are about as large as its inputs: what a network expands or tiles to any size takes less to
    /// compute than to keep.
    private static func isWorthKeeping(_ signature: Signature) -> Bool {
        let read = signature.inputs.reduce(0) { $0 + ($1?.shape.count ?? 0) }
        let written = signature.outputs.reduce(0) { $0 + $1.shape.count }
        return written <= 4 * read + 4096
    }
}

extension ResolvedGraph {
    /// The network with what its constants alone determine among them, as plans for inference have it.
    ///
    /// - Throws: ``ExecutionError``.
    package func foldingConstants() throws(ExecutionError) -> ResolvedGraph {
        let simpler: Graph?
        do throws(GraphError) { simpler = try graph.foldingConstants(self) } catch {
            throw .internalFailure("simplifying the graph: \(error)")
        }
        guard let simpler else { return self }
        do throws(ResolutionError) { return try ResolvedGraph(simpler, inputShapes: inputShapes) } catch {
            throw ExecutionError(error)
        }
    }

    /// What `values` are, which depend on constants only; nil if a node on the way cannot run, which is for the plan
    /// that needs it to report.
    fileprivate func evaluated(_ values: [ValueID]) -> [Tensor]? {
        var forward = ForwardLowering(self, phase: .inference, threads: 1)
        guard let buffers = try? forward.lower(values), let program = try? Program(builder: forward.builder),
            (try? program.run(0..<program.stepCount)) != nil
        else { return nil }
        // The memory of the values is the program's.
        defer { withExtendedLifetime(program) {} }
        var tensors: [Tensor] = []
        for (value, buffer) in zip(values, buffers) {
            guard let known = facts[value], let pointer = program.pointer(buffer) else { return nil }
            tensors.append(
                Tensor(shape: known.shape, dtype: known.dtype) { bytes in
                    bytes.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: bytes.count))
                })
        }
        return tensors
    }
}
