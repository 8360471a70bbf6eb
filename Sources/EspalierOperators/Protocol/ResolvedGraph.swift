package import EspalierGraphs
package import EspalierTensors

/// A graph with its operators built and, for concrete extents of its symbolic dimensions, everything inferred
/// about its values: the one place that turns nodes into operators. Planning, pruning and reports start here.
package struct ResolvedGraph: Sendable {
    package let graph: Graph
    /// The shapes that inputs were given; the others have their declared ones.
    package let inputShapes: [ValueID: Shape]
    /// The operators of the nodes this software understands.
    package let operators: [NodeID: any Operator]
    /// Why the other nodes are opaque.
    package let opaque: [NodeID: OperatorError]
    package let facts: [ValueID: ValueFacts]
    /// The facts of each understood node's inputs and outputs, by port.
    package let signatures: [NodeID: Signature]

    /// - Parameters:
    ///   - dimensions: extents for symbolic dimensions; those that are neither given nor fixed become 1, which
    ///     for the batch size makes costs per sample.
    ///   - inputShapes: complete shapes of graph inputs, which take precedence.
    /// - Throws: ``ResolutionError`` if inputs do not fit an operator that is understood.
    package init(
        _ graph: Graph, dimensions: [String: Int] = [:], inputShapes: [ValueID: Shape] = [:]
    ) throws(ResolutionError) {
        var operators: [NodeID: any Operator] = [:]
        var opaque: [NodeID: OperatorError] = [:]
        var facts: [ValueID: ValueFacts] = [:]
        var signatures: [NodeID: Signature] = [:]
        for (id, tensor) in graph.constants { facts[id] = ValueFacts(constant: tensor) }
        for id in graph.inputs {
            facts[id] = Self.inputFacts(
                graph.values[id]?.type, shape: inputShapes[id], dimensions: dimensions)
            // Operators multiply the extents of what they read without a further look.
            if let shape = facts[id]?.shape, shape.checkedCount() == nil {
                throw ResolutionError(
                    node: graph.name(of: id), operatorName: OperatorName("input"),
                    reason: .shapes("\(shape) is not a possible shape"))
            }
        }
        for node in graph.nodes {
            switch Catalog.resolve(node, opsetVersion: graph.opsetVersion(of: node.operatorName)) {
            case .failure(let reason):
                opaque[node.id] = reason
            case .success(let operation):
                // Downstream of an opaque node little is known; what cannot be inferred is opaque too.
                let inputs = node.inputs.map { $0.flatMap { facts[$0] } }
                guard zip(node.inputs, inputs).allSatisfy({ $0 == nil || $1 != nil }) else {
                    opaque[node.id] = .unsupported("its input comes from a node that is not understood")
                    break
                }
                operators[node.id] = operation
                do throws(OperatorError) {
                    let outputs = try Self.infer(operation, node: node, inputs: inputs)
                    signatures[node.id] = Signature(inputs: inputs, outputs: outputs)
                    for (id, output) in zip(node.outputs, outputs) {
                        if let id { facts[id] = output }
                    }
                    continue
                } catch {
                    throw ResolutionError(node: node.label, operatorName: node.operatorName, reason: error)
                }
            }
            for case let id? in node.outputs {
                facts[id] = Self.declaredFacts(graph.values[id]?.type, dimensions: dimensions)
            }
        }
        self.graph = graph
        self.inputShapes = inputShapes
        self.operators = operators
        self.opaque = opaque
        self.facts = facts
        self.signatures = signatures
    }

    /// The largest value that is computed in advance: shape arithmetic, not images.
    private static let foldingLimit = 4096

    private static func infer(
        _ operation: any Operator, node: Node, inputs: [ValueFacts?]
    ) throws(OperatorError) -> [ValueFacts] {
        var outputs = try operation.inferOutputs(OperatorInputs(inputs, outputCount: node.outputs.count))
        for facts in outputs where facts.shape.checkedCount() == nil {
            throw .shapes("the output would have shape \(facts.shape)")
        }
        let isKnown = inputs.allSatisfy { $0 == nil || $0?.constant != nil } && !inputs.isEmpty
        let isSmall = outputs.allSatisfy { $0.shape.count <= foldingLimit && !$0.dtype.isFloatingPoint }
        if isKnown, isSmall, outputs.contains(where: { $0.constant == nil }) {
            let values = try operation.evaluate(inputs.map { $0?.constant }, outputs: outputs).get()
            for (index, value) in values.enumerated() where index < outputs.count {
                outputs[index].constant = value
            }
        }
        for index in outputs.indices { outputs[index].isDerived = outputs[index].constant != nil }
        return outputs
    }

    private static func inputFacts(
        _ type: ValueType?, shape: Shape?, dimensions: [String: Int]
    ) -> ValueFacts? {
        guard let type else { return shape.map { ValueFacts(dtype: .float32, shape: $0) } }
        if let shape { return ValueFacts(dtype: type.dtype, shape: shape) }
        guard let declared = type.dimensions else { return nil }
        let extents = declared.map { dimension in
            switch dimension {
            case .fixed(let extent): extent
            case .symbolic(let name): dimensions[name] ?? 1
            case .unknown: 1
            }
        }
        return ValueFacts(dtype: type.dtype, shape: Shape(extents))
    }

    /// A declared type counts for an opaque node's output only where it is complete.
    private static func declaredFacts(_ type: ValueType?, dimensions: [String: Int]) -> ValueFacts? {
        guard let type, let declared = type.dimensions else { return nil }
        var extents: [Int] = []
        for dimension in declared {
            switch dimension {
            case .fixed(let extent): extents.append(extent)
            case .symbolic(let name): extents.append(dimensions[name] ?? 1)
            case .unknown: return nil
            }
        }
        let shape = Shape(extents)
        return shape.checkedCount() == nil ? nil : ValueFacts(dtype: type.dtype, shape: shape)
    }
}

/// A node that the operator it names cannot compute.
package struct ResolutionError: Error, Sendable, CustomStringConvertible {
    package let node: String
    package let operatorName: OperatorName
    package let reason: OperatorError

    package var description: String { "node '\(node)' (\(operatorName)): \(reason)" }
}
