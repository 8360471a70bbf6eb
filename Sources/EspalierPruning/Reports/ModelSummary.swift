package import EspalierGraphs
package import EspalierOperators
import EspalierTensors

/// Figures of a network and its layers: what `inspect` shows and receipts compare.
package struct ModelSummary: Sendable, Encodable, Hashable {
    package var totals: Totals
    package var opaque: [Opaque]
    /// Every node with parameters or multiply-accumulates, in the graph's order.
    package var layers: [Layer]

    /// Numbers of one network or one layer.
    package struct Totals: Sendable, Codable, Hashable {
        /// Numbers in floating-point constants.
        package var parameters = 0
        package var nonzero = 0
        /// Multiply-accumulates of one sample, all weights counted.
        package var multiplyAccumulates = 0
        /// Multiply-accumulates of one sample with nonzero weights.
        package var effectiveMultiplyAccumulates = 0

        private enum CodingKeys: String, CodingKey {
            case parameters, nonzero
            case multiplyAccumulates = "macs"
            case effectiveMultiplyAccumulates = "effectiveMacs"
        }

        package init() {}

        /// The share of parameters that are zero.
        package var sparsity: Double {
            parameters == 0 ? 0 : 1 - Double(nonzero) / Double(parameters)
        }

        mutating func add(_ other: Totals) {
            parameters += other.parameters
            nonzero += other.nonzero
            (multiplyAccumulates, _) = multiplyAccumulates.addingReportingOverflow(other.multiplyAccumulates)
            (effectiveMultiplyAccumulates, _) = effectiveMultiplyAccumulates.addingReportingOverflow(
                other.effectiveMultiplyAccumulates)
        }
    }

    package struct Opaque: Sendable, Encodable, Hashable {
        package let name: String
        package let op: String
        package let reason: String
    }

    package struct Layer: Sendable, Encodable, Hashable {
        /// What it is known by, as several nodes may have one name; not written.
        package let node: NodeID
        package let name: String
        package let op: String
        /// The shape of its first output, for one sample where the batch is open; absent if it is not known.
        package let outputShape: [Int]?
        package let totals: Totals

        private enum CodingKeys: String, CodingKey { case name, op, outputShape }

        /// The totals stand beside the name, not below it.
        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(op, forKey: .op)
            try container.encodeIfPresent(outputShape, forKey: .outputShape)
            try totals.encode(to: encoder)
        }
    }

    /// Counts. A constant that several nodes read belongs to the first of them, so that layers add up to the
    /// total.
    package init(_ resolved: ResolvedGraph) {
        let graph = resolved.graph
        var counted: Set<ValueID> = []
        var nonzeros: [ValueID: Int] = [:]
        for id in graph.parameters { nonzeros[id] = graph.constants[id]?.nonzeroCount }
        var totals = Totals()
        var layers: [Layer] = []
        for node in graph.nodes {
            var own = Totals()
            for value in node.dependencies {
                guard let nonzero = nonzeros[value], counted.insert(value).inserted else { continue }
                own.parameters += graph.constants[value]?.count ?? 0
                own.nonzero += nonzero
            }
            if let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id] {
                own.multiplyAccumulates = operation.multiplyAccumulates(
                    signature, nonzeros: node.inputs.map { _ in nil })
                own.effectiveMultiplyAccumulates = operation.multiplyAccumulates(
                    signature, nonzeros: node.inputs.map { $0.flatMap { nonzeros[$0] } })
            }
            totals.add(own)
            guard own.parameters > 0 || own.multiplyAccumulates > 0 else { continue }
            let output = node.outputs.first.flatMap { $0 }.flatMap { resolved.facts[$0]?.shape.extents }
            layers.append(
                Layer(
                    node: node.id, name: node.label, op: node.operatorName.description, outputShape: output,
                    totals: own))
        }
        self.totals = totals
        self.layers = layers
        opaque = graph.nodes.compactMap { node in
            resolved.opaque[node.id].map {
                Opaque(name: node.label, op: node.operatorName.description, reason: $0.description)
            }
        }
    }

    /// The figures of one node's layer.
    package func layer(of node: NodeID) -> Layer? { layers.first { $0.node == node } }

    private enum CodingKeys: String, CodingKey { case opaque, layers, sparsity }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(opaque, forKey: .opaque)
        try container.encode(layers, forKey: .layers)
        try container.encode(totals.sparsity, forKey: .sparsity)
        try totals.encode(to: encoder)
    }
}
