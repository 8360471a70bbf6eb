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
    /// Why the other nodes are opaque: nobody knows their operator, or an operand must be known in advance and is not.
    package let opaque: [NodeID: OperatorError]
    package let facts: [ValueID: ValueFacts]
    /// The facts of each understood node's inputs and outputs, by port.
    package let signatures: [NodeID: Signature]

    /// - Parameters:
    ///   - dimensions: extents for symbolic dimensions; those of inputs that are neither given nor fixed become 1, which
    ///     for the batch size makes costs per sample.
    ///   - inputShapes: complete shapes of graph inputs, which take precedence. With them comes what symbols stand for
    ///     elsewhere; what an opaque node gives is then unknown where its symbols are.
    /// - Throws: ``ResolutionError`` if inputs do not fit an operator that is understood.
    package init(
        _ graph: Graph, dimensions: [String: Int] = [:], inputShapes: [ValueID: Shape] = [:]
    ) throws(ResolutionError) {
        var operators: [NodeID: any Operator] = [:]
        var opaque: [NodeID: OperatorError] = [:]
        var facts: [ValueID: ValueFacts] = [:]
        var signatures: [NodeID: Signature] = [:]
        var arithmetic = ShapeArithmetic()
        let symbols = dimensions.merging(Self.symbols(of: graph, inputShapes)) { $1 }
        for (id, tensor) in graph.constants { facts[id] = ValueFacts(constant: tensor) }
        for id in graph.inputs {
            facts[id] = Self.inputFacts(graph.values[id], shape: inputShapes[id], symbols: symbols)
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
                if let unknown = node.inputs.compactMap({ $0 }).first(where: { facts[$0] == nil }) {
                    opaque[node.id] = .unsupported(
                        "its input '\(graph.name(of: unknown))', whose type or shape is not known")
                    break
                }
                let inputs = node.inputs.map { $0.flatMap { facts[$0] } }
                do throws(OperatorError) {
                    var outputs = try Self.infer(operation, node: node, inputs: inputs)
                    try arithmetic.evaluate(operation, of: node, inputs: inputs, outputs: &outputs)
                    operators[node.id] = operation
                    signatures[node.id] = Signature(inputs: inputs, outputs: outputs)
                    for (id, output) in zip(node.outputs, outputs) {
                        if let id { facts[id] = output }
                    }
                    continue
                } catch .inputNotConstant(let port) {
                    opaque[node.id] = .inputNotConstant(port)
                } catch {
                    throw ResolutionError(node: node.label, operatorName: node.operatorName, reason: error)
                }
            }
            for case let id? in node.outputs {
                facts[id] = Self.declaredFacts(
                    graph.values[id]?.type, symbols: symbols, open: inputShapes.isEmpty ? 1 : nil)
            }
        }
        self.graph = graph
        self.inputShapes = inputShapes
        self.operators = operators
        self.opaque = opaque
        self.facts = facts
        self.signatures = signatures
    }

    private static func infer(
        _ operation: any Operator, node: Node, inputs: [ValueFacts?]
    ) throws(OperatorError) -> [ValueFacts] {
        let lastNamed = node.outputs.lastIndex { $0 != nil } ?? 0
        let outputs = try operation.inferOutputs(
            OperatorInputs(inputs, outputCount: lastNamed + 1, listedOutputCount: node.outputs.count))
        for facts in outputs where facts.shape.checkedCount() == nil {
            throw .shapes("the output would have shape \(facts.shape)")
        }
        return outputs
    }

    /// What the symbols of inputs stand for, by the shapes given. Of one that stands for several extents nothing is known.
    private static func symbols(of graph: Graph, _ inputShapes: [ValueID: Shape]) -> [String: Int] {
        var extents: [String: Set<Int>] = [:]
        for (id, shape) in inputShapes {
            guard let declared = graph.values[id]?.type?.dimensions, declared.count == shape.rank else {
                continue
            }
            for case (.symbolic(let name), let extent) in zip(declared, shape.extents) {
                extents[name, default: []].insert(extent)
            }
        }
        return extents.compactMapValues { $0.count == 1 ? $0.first : nil }
    }

    private static func inputFacts(_ value: Value?, shape: Shape?, symbols: [String: Int]) -> ValueFacts? {
        if value?.isOpaque == true { return nil }
        guard let type = value?.type else {
            return shape.map { ValueFacts(dtype: .float32, shape: $0) }
        }
        if let shape { return ValueFacts(dtype: type.dtype, shape: shape) }
        guard let declared = type.dimensions else { return nil }
        let extents = declared.map { dimension in
            switch dimension {
            case .fixed(let extent): extent
            case .symbolic(let name): symbols[name] ?? 1
            case .unknown: 1
            }
        }
        return ValueFacts(dtype: type.dtype, shape: Shape(extents))
    }

    /// A declared type counts for an opaque node's output only where it is complete.
    ///
    /// - Parameter open: what other symbols stand for; nil if that is not known.
    private static func declaredFacts(
        _ type: ValueType?, symbols: [String: Int], open: Int?
    ) -> ValueFacts? {
        guard let type, let declared = type.dimensions else { return nil }
        var extents: [Int] = []
        for dimension in declared {
            switch dimension {
            case .fixed(let extent): extents.append(extent)
            case .symbolic(let name):
                guard let extent = symbols[name] ?? open else { return nil }
                extents.append(extent)
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
