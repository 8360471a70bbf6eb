import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// The closure of all operators' axis links: which indices of which axes must be cut together, and which not
/// at all.
///
/// Every index of every axis that matters is an element of a union-find; a link merges the indices it pairs.
/// What remains are the inseparable sets. Almost linear in the number of indices.
struct AxisClosure {
    let resolved: ResolvedGraph
    private(set) var table: AxisTable
    var sets: DisjointSets
    private(set) var reasons: [FrozenReason] = []
    /// What each axis of a constant does, from all nodes that read it; the strongest role counts.
    private(set) var roles: [ValueAxis: SliceRole] = [:]

    /// Axes whose extents some node tells.
    private(set) var measured: Set<ValueAxis> = []

    private var links: [Link] = []
    private var contractions: [Contraction] = []
    private var seeds: [(axis: Int, reason: Int)] = []
    private var reasonNumbers: [FrozenReason: Int] = [:]

    private struct Link {
        let from: Int
        let to: Int
        let map: IndexMap
    }

    /// Axes of two activations over whose products a node sums.
    private struct Contraction {
        let node: Node
        let first: Int
        let second: Int
    }

    init(_ resolved: ResolvedGraph) {
        self.resolved = resolved
        table = AxisTable(resolved)
        sets = DisjointSets(count: 0)
        // In order of how much they tell: sets with several reasons keep the first.
        freezeGraphOutputs()
        freezeOpaqueNodes()
        collectLinks()
        freezeGraphInputs()
        let parameterAxes = resolved.graph.parameters.flatMap { table.axes(of: $0) }
        table.numberEntries(links: links.map { ($0.from, $0.to) }, roots: parameterAxes)
        freezeSingleIndices()
        sets = DisjointSets(count: table.entryCount)
        for seed in seeds { freeze(axis: seed.axis, reason: seed.reason) }
        for link in links { merge(link) }
        freezeContractions()
    }

    // MARK: - What is frozen to begin with

    private mutating func number(_ reason: FrozenReason) -> Int {
        if let number = reasonNumbers[reason] { return number }
        reasons.append(reason)
        reasonNumbers[reason] = reasons.count - 1
        return reasons.count - 1
    }

    private mutating func freezeAll(_ value: ValueID, _ reason: FrozenReason) {
        let number = number(reason)
        for axis in table.axes(of: value) { seeds.append((axis, number)) }
    }

    private mutating func freezeGraphOutputs() {
        for output in resolved.graph.outputs {
            let name = resolved.graph.name(of: output)
            freezeAll(output, FrozenReason(.graphOutput, "the model's output '\(name)' must keep its shape"))
        }
    }

    private mutating func freezeGraphInputs() {
        for input in resolved.graph.inputs {
            let name = resolved.graph.name(of: input)
            freezeAll(input, FrozenReason(.graphInput, "the model's input '\(name)' must keep its shape"))
        }
    }

    private mutating func freezeOpaqueNodes() {
        for node in resolved.graph.nodes {
            let reason: FrozenReason
            if let problem = resolved.opaque[node.id] {
                reason = FrozenReason(.opaqueNode, "node '\(node.label)' is not understood (\(problem))")
            } else if !(resolved.operators[node.id] is any AxisLinking) {
                reason = FrozenReason(
                    .noAxisLinks, "node '\(node.label)' (\(node.operatorName)) does not say how it may be cut"
                )
            } else if !node.capturedValues.isEmpty {
                reason = FrozenReason(.opaqueNode, "a subgraph of node '\(node.label)' reads it")
                for value in node.capturedValues { freezeAll(value, reason) }
                continue
            } else {
                continue
            }
            for value in node.dependencies { freezeAll(value, reason) }
            for case let output? in node.outputs { freezeAll(output, reason) }
        }
    }

    private mutating func freezeSingleIndices() {
        for axis in table.axes.indices where table.firstEntry[axis] != nil && table.extents[axis] == 1 {
            let name = resolved.graph.name(of: table.axes[axis].value)
            let reason = FrozenReason(.singleIndex, "'\(name)' has only one channel there")
            seeds.append((axis, number(reason)))
        }
    }

    // MARK: - Links

    private mutating func collectLinks() {
        let measurements = MeasuredExtents(resolved)
        for node in resolved.graph.nodes {
            guard let operation = resolved.operators[node.id] as? any AxisLinking,
                let signature = resolved.signatures[node.id]
            else { continue }
            let said = operation.axisLinks(signature)
            var mentioned = Set(said.free)
            for link in said.links {
                mentioned.insert(link.from)
                mentioned.insert(link.to)
                guard let from = table.axis(link.from, of: node), let to = table.axis(link.to, of: node)
                else { continue }
                links.append(Link(from: from, to: to, map: link.map))
            }
            for measured in said.measured {
                mentioned.insert(measured)
                guard let axis = table.axis(measured, of: node) else { continue }
                self.measured.insert(table.axes[axis])
                if let user = measurements.realUse(of: node) {
                    let reason = FrozenReason(.measured, "node '\(user)' computes with its extent")
                    seeds.append((axis, number(reason)))
                }
            }
            for pair in said.contractions {
                guard let first = table.axis(pair.first, of: node),
                    let second = table.axis(pair.second, of: node)
                else { continue }
                // A mask makes the slices of weights zero.
                let factors = [table.axes[first].value, table.axes[second].value]
                let weights = factors.filter {
                    resolved.graph.constants[$0]?.dtype.isFloatingPoint ?? false
                }
                if weights.isEmpty {
                    contractions.append(Contraction(node: node, first: first, second: second))
                }
            }
            for frozen in said.frozen {
                mentioned.insert(frozen.axis)
                guard let axis = table.axis(frozen.axis, of: node) else { continue }
                let reason = FrozenReason(.declared, "node '\(node.label)': \(frozen.reason)")
                seeds.append((axis, number(reason)))
            }
            freezeUnmentioned(node, signature, mentioned)
            record(said.roles, of: node)
        }
    }

    private mutating func freezeUnmentioned(
        _ node: Node, _ signature: Signature, _ mentioned: Set<PortAxis>
    ) {
        let reason = FrozenReason(
            .unlinkedAxis, "node '\(node.label)' (\(node.operatorName)) mixes or arranges that axis")
        let inputs = signature.inputs.indices.flatMap { port in
            (0..<signature.inputShape(port).rank).map { PortAxis.input(port, axis: $0) }
        }
        let outputs = signature.outputs.indices.flatMap { port in
            (0..<signature.outputShape(port).rank).map { PortAxis.output(port, axis: $0) }
        }
        for portAxis in inputs + outputs where !mentioned.contains(portAxis) {
            guard let axis = table.axis(portAxis, of: node) else { continue }
            seeds.append((axis, number(reason)))
        }
    }

    private mutating func record(_ said: [PortAxis: SliceRole], of node: Node) {
        for (portAxis, role) in said {
            guard let number = table.axis(portAxis, of: node) else { continue }
            let axis = table.axes[number]
            guard resolved.graph.constants[axis.value] != nil else { continue }
            if let other = roles[axis], other.strength >= role.strength { continue }
            roles[axis] = role
        }
    }

    // MARK: - Merging

    private mutating func freeze(axis: Int, reason: Int) {
        guard let first = table.firstEntry[axis] else { return }
        for index in 0..<table.extents[axis] { sets.freeze(first + index, reason: reason) }
    }

    private mutating func merge(_ link: Link) {
        guard let from = table.firstEntry[link.from], let to = table.firstEntry[link.to] else {
            // One side is too long to be numbered: then neither is cut.
            let reason = number(FrozenReason(.tooLarge, "an axis it is linked to is too long to prune"))
            freeze(axis: link.from, reason: reason)
            freeze(axis: link.to, reason: reason)
            return
        }
        link.map.forEachPair(from: table.extents[link.from], to: table.extents[link.to]) { first, second in
            sets.merge(from + first, to + second)
        }
    }

    // MARK: - What only its masks freeze

    /// Freezes what nodes sum over whose terms a cut takes away and a mask does not. At last, for what is frozen anyway
    /// need not be looked into.
    private mutating func freezeContractions() {
        guard !contractions.isEmpty else { return }
        var zeros = MaskedZeros(resolved)
        for contraction in contractions where isOpen(axis: contraction.first) {
            let (first, second) = (table.axes[contraction.first], table.axes[contraction.second])
            // Weights that nodes compute stand second as a rule.
            if zeros.isZero(second) || zeros.isZero(first) { continue }
            let reason = FrozenReason(
                .declared,
                "node '\(contraction.node.label)' sums products of two activations along it, "
                    + "neither of which is zero where it is masked")
            freeze(axis: contraction.first, reason: number(reason))
            freeze(axis: contraction.second, reason: number(reason))
        }
    }

    /// Whether some index of an axis may still be cut.
    private mutating func isOpen(axis: Int) -> Bool {
        guard let first = table.firstEntry[axis] else { return false }
        for index in 0..<table.extents[axis] where sets.frozenReason(of: first + index) == nil {
            return true
        }
        return false
    }
}

extension SliceRole {
    /// Which of several roles a shared constant is listed under.
    var strength: Int {
        switch self {
        case .affine: 0
        case .scale: 1
        case .consumer: 2
        case .producer: 3
        }
    }
}
