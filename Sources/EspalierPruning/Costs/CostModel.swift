import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// The cost of a network at other widths, without building it: every operator that a cut concerns is asked
/// again with its attributes and shapes after the cut, so that the cost is the true one, products of widths
/// and all.
struct CostModel {
    private struct Site {
        let node: Node
        let operation: any Operator
        let signature: Signature
        let dense: Double

        /// The number of nonzeros by port: dense.
        var noCounts: [Int?] { signature.inputs.map { _ in nil } }
    }

    let function: CostFunction
    private let resolved: ResolvedGraph
    private let sites: [Site]
    private let parameters: [(id: ValueID, facts: ValueFacts)]
    /// The values whose shapes decide on the cost.
    let relevantValues: Set<ValueID>
    /// With every value at its present shape and every constant counted dense.
    let denseCost: Double

    init(_ function: CostFunction, _ resolved: ResolvedGraph) {
        self.function = function
        self.resolved = resolved
        var sites: [Site] = []
        for node in resolved.graph.nodes {
            guard let operation = resolved.operators[node.id], let signature = resolved.signatures[node.id]
            else { continue }
            let cost = function.nodeCost(
                node.id, operation, signature, signature.inputs.map { _ in nil })
            // What costs nothing at full width costs nothing below it.
            guard cost > 0 else { continue }
            sites.append(Site(node: node, operation: operation, signature: signature, dense: cost))
        }
        self.sites = sites
        parameters = resolved.graph.parameters.compactMap { id in resolved.facts[id].map { (id, $0) } }
        relevantValues = Set(parameters.map(\.id)).union(
            sites.flatMap { ($0.node.inputs + $0.node.outputs).compactMap { $0 } })
        denseCost =
            sites.reduce(0) { $0 + $1.dense }
            + parameters.reduce(0) { $0 + function.parameterCost($1.facts.shape.count) }
    }

    /// The cost after a cut.
    func cost(of cut: GraphCut) -> Double {
        var total = 0.0
        for site in sites { total += cost(of: site, cut: cut) }
        for parameter in parameters {
            total += function.parameterCost(cut.facts(parameter.facts, of: parameter.id).shape.count)
        }
        return total
    }

    private func cost(of site: Site, cut: GraphCut) -> Double {
        let axisCut = cut.axisCut(of: site.node, signature: site.signature)
        guard !axisCut.kept.isEmpty else { return site.dense }
        var operation = site.operation
        // A cut that the operator refuses is surgery's to report; until then the node counts in full.
        if let linking = operation as? any AxisLinking {
            guard let edits = try? linking.resized(by: axisCut, signature: site.signature) else {
                return site.dense
            }
            if !edits.attributes.isEmpty || !edits.removedAttributes.isEmpty {
                let node = edits.withAttributes(of: site.node)
                let version = resolved.graph.opsetVersion(of: node.operatorName)
                guard let resized = try? Catalog.resolve(node, opsetVersion: version).get() else {
                    return site.dense
                }
                operation = resized
            }
        }
        let signature = Signature(
            inputs: zip(site.signature.inputs, site.node.inputs).map { facts, value in
                facts.map { cut.facts($0, of: value) }
            },
            outputs: zip(site.signature.outputs, site.node.outputs).map { cut.facts($0, of: $1) })
        return function.nodeCost(site.node.id, operation, signature, site.noCounts)
    }

    /// The cost with some constants sparse: their numbers of nonzero elements.
    func cost(nonzeros: [ValueID: Int]) -> Double {
        var total = 0.0
        for site in sites { total += cost(of: site, nonzeros: nonzeros) }
        for parameter in parameters {
            total += function.parameterCost(nonzeros[parameter.id] ?? parameter.facts.shape.count)
        }
        return total
    }

    private func cost(of site: Site, nonzeros: [ValueID: Int]) -> Double {
        let counts = site.node.inputs.map { $0.flatMap { nonzeros[$0] } }
        return counts.allSatisfy { $0 == nil }
            ? site.dense : function.nodeCost(site.node.id, site.operation, site.signature, counts)
    }
}

extension CostModel {
    /// What one node or one stored parameter adds to the cost.
    struct Addend {
        /// The values that decide on it.
        let values: Set<ValueID>
        /// After a cut.
        let cut: (GraphCut) -> Double
        /// With some constants sparse: their numbers of nonzero elements.
        let sparse: ([ValueID: Int]) -> Double
    }

    /// The cost in parts, for those who ask for it at many widths.
    var addends: [Addend] {
        let nodes = sites.map { site in
            Addend(
                values: Set((site.node.inputs + site.node.outputs).compactMap { $0 }),
                cut: { cost(of: site, cut: $0) }, sparse: { cost(of: site, nonzeros: $0) })
        }
        let stored = parameters.map { id, facts in
            Addend(
                values: [id],
                cut: { function.parameterCost($0.facts(facts, of: id).shape.count) },
                sparse: { function.parameterCost($0[id] ?? facts.shape.count) })
        }
        return nodes + stored
    }
}
