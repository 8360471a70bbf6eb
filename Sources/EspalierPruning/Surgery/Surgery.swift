import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Cuts units out of a network: slices constants along the axes that the units lie on, and lets every
/// operator adjust its own attributes.
struct Surgery {
    let resolved: ResolvedGraph
    let groups: PruningGroups

    init(_ resolved: ResolvedGraph, _ groups: PruningGroups) {
        self.resolved = resolved
        self.groups = groups
    }

    /// The network without the given units, checked by inferring all its shapes again.
    ///
    /// - Throws: ``PruningError/node(_:_:)`` if an operator cannot follow the cut,
    ///   ``PruningError/surgery(_:)`` if the result does not have the shapes that the cut should give.
    func cut(_ dropped: [(group: PruningGroup, units: [Int])]) throws(PruningError) -> Graph {
        let cut = GraphCut(dropping: dropped, in: resolved)
        guard !cut.isEmpty else { return resolved.graph }
        let (patch, isRewired) = try patch(for: cut)
        let result: Graph
        do throws(GraphError) {
            let cutGraph = try resolved.graph.applying(patch)
            result = isRewired ? try cutGraph.removingDeadNodes() : cutGraph
        } catch {
            throw .surgery("\(error)")
        }
        try check(result, after: cut)
        return result
    }

    /// The edits that make a cut, and whether nodes may have lost their last reader by it.
    private func patch(for cut: GraphCut) throws(PruningError) -> (patch: Patch, isRewired: Bool) {
        let graph = resolved.graph
        var patch = Patch(for: graph)
        var isRewired = false
        var changed: [NodeID: Node] = [:]
        var constants: [ValueID: [ConstantEdit]] = [:]
        for (node, edits) in try nodeEdits(for: cut) {
            if !edits.attributes.isEmpty || !edits.removedAttributes.isEmpty {
                changed[node.id] = edits.withAttributes(of: node)
            }
            for (port, tensor) in edits.constants.sorted(by: { $0.key < $1.key }) {
                if node.inputs.indices.contains(port), let value = node.inputs[port] {
                    let edit = ConstantEdit(node: node, port: port, tensor: tensor)
                    constants[value, default: []].append(edit)
                } else {
                    let added = patch.newConstant("\(node.label)_input\(port)", tensor)
                    changed[node.id, default: node].setInput(port, added)
                }
            }
        }
        for (value, edits) in constants.sorted(by: { $0.key < $1.key }) {
            if isShared(edits, of: value) {
                patch.append(.setConstant(value, edits[0].tensor))
                continue
            }
            // Others read it and want it as it was, or it was computed: these nodes get one of their own.
            isRewired = true
            for edit in edits {
                let own = patch.newConstant("\(graph.name(of: value))_cut", edit.tensor)
                changed[edit.node.id, default: edit.node].setInput(edit.port, own)
            }
        }
        for (_, node) in changed.sorted(by: { $0.key < $1.key }) { patch.append(.replace(node)) }
        slice(cut, except: Set(constants.keys), into: &patch)
        return (patch, isRewired)
    }

    /// Why a group cannot be cut although no axis is frozen: some operator has no way to express it.
    func refusal(ofCutting group: PruningGroup) -> String? {
        guard group.size > 1 else { return nil }
        let trial = [(group: group, units: [group.size - 1])]
        do throws(PruningError) {
            if (group.members + group.activations).contains(where: { groups.measured.contains($0.axis) }) {
                // Shapes that are computed in the graph follow in ways that only a try tells.
                _ = try cut(trial)
            } else {
                _ = try nodeEdits(for: GraphCut(dropping: trial, in: resolved))
            }
            return nil
        } catch {
            return "\(error)"
        }
    }

    // MARK: - Edits

    private struct ConstantEdit {
        let node: Node
        let port: Int
        let tensor: Tensor
    }

    private func nodeEdits(for cut: GraphCut) throws(PruningError) -> [(node: Node, edits: NodeEdits)] {
        var result: [(node: Node, edits: NodeEdits)] = []
        for node in resolved.graph.nodes {
            guard let signature = resolved.signatures[node.id] else { continue }
            let axisCut = cut.axisCut(of: node, signature: signature)
            guard !axisCut.kept.isEmpty else { continue }
            guard let operation = resolved.operators[node.id] as? any AxisLinking else {
                throw .surgery("node '\(node.label)' is cut but does not say how it may be")
            }
            do throws(OperatorError) {
                result.append((node, try operation.resized(by: axisCut, signature: signature)))
            } catch {
                throw .node(node.label, error)
            }
        }
        return result
    }

    /// Whether all uses of a constant want the same new value.
    private func isShared(_ edits: [ConstantEdit], of value: ValueID) -> Bool {
        let graph = resolved.graph
        guard graph.constants[value] != nil, !graph.outputs.contains(value) else { return false }
        let uses = graph.nodes.reduce(0) { count, node in count + node.dependencies.count { $0 == value } }
        return uses == edits.count && edits.allSatisfy { $0.tensor.isIdentical(to: edits[0].tensor) }
    }

    /// Slices constants and adjusts declared types.
    private func slice(_ cut: GraphCut, except edited: Set<ValueID>, into patch: inout Patch) {
        let graph = resolved.graph
        let axes = cut.kept.keys.sorted()
        var position = 0
        while position < axes.count {
            let value = axes[position].value
            var tensor = graph.constants[value]
            var type = graph.values[value]?.type
            while position < axes.count, axes[position].value == value {
                let axis = axes[position]
                position += 1
                guard let kept = cut.kept[axis] else { continue }
                tensor = tensor?.selecting(kept, axis: axis.axis)
                if let extents = type?.dimensions, extents.indices.contains(axis.axis),
                    case .fixed = extents[axis.axis]
                {
                    type?.dimensions?[axis.axis] = .fixed(kept.count)
                }
            }
            if let tensor {
                if !edited.contains(value) { patch.append(.setConstant(value, tensor)) }
            } else {
                patch.append(.setType(value, type))
            }
        }
    }

    // MARK: - Checks

    private func check(_ result: Graph, after cut: GraphCut) throws(PruningError) {
        try compare(try resolve(result, resolved.inputShapes), resolved, cut)
        // Once more with another batch size: a target shape with the batch written into it would pass the
        // first time.
        let larger = inputShapes(withBatchOf: 2)
        guard !larger.isEmpty, let before = try? ResolvedGraph(resolved.graph, inputShapes: larger) else {
            return
        }
        try compare(try resolve(result, larger), before, cut)
    }

    private func compare(
        _ after: ResolvedGraph, _ before: ResolvedGraph, _ cut: GraphCut
    ) throws(PruningError) {
        for (value, facts) in before.facts.sorted(by: { $0.key < $1.key }) {
            guard let now = after.facts[value] else { continue }
            let expected = shape(of: value, from: facts.shape, after: cut)
            guard now.shape == expected else {
                // An edited shape constant is no value with channels.
                if !facts.dtype.isFloatingPoint, facts.shape.rank <= 1 { continue }
                throw .surgery(
                    "'\(after.graph.name(of: value))' became \(now.shape) where \(expected) was expected")
            }
        }
    }

    /// What a cut should make of a value's shape, for any number of samples.
    private func shape(of value: ValueID, from whole: Shape, after cut: GraphCut) -> Shape {
        var shape = whole
        for axis in 0..<whole.rank {
            guard let kept = cut.kept[ValueAxis(value, axis: axis)],
                let planned = resolved.facts[value]?.shape[axis], planned > 0
            else { continue }
            // A reshape may merge samples with channels: then the axis holds the channels of each sample.
            let isRepeated = whole[axis].isMultiple(of: planned)
            shape[axis] = isRepeated ? whole[axis] / planned * kept.count : kept.count
        }
        return shape
    }

    private func resolve(_ graph: Graph, _ shapes: [ValueID: Shape]) throws(PruningError) -> ResolvedGraph {
        do throws(ResolutionError) {
            return try ResolvedGraph(graph, inputShapes: shapes)
        } catch {
            throw .resolution(error)
        }
    }

    /// The inputs' shapes with another number of samples; empty if that is fixed for all of them.
    private func inputShapes(withBatchOf count: Int) -> [ValueID: Shape] {
        var shapes = resolved.inputShapes
        var hasOpen = false
        for input in resolved.graph.inputs {
            guard let declared = resolved.graph.values[input]?.type?.dimensions?.first,
                var extents = resolved.facts[input]?.shape.extents, !extents.isEmpty
            else { continue }
            if case .fixed = declared { continue }
            hasOpen = true
            extents[0] = count
            shapes[input] = Shape(extents)
        }
        return hasOpen ? shapes : [:]
    }
}

extension NodeEdits {
    /// `node` with the attributes as edited; its constants are the caller's.
    func withAttributes(of node: Node) -> Node {
        var node = node
        node.attributes.merge(attributes) { $1 }
        for name in removedAttributes { node.attributes[name] = nil }
        return node
    }
}

extension Node {
    fileprivate mutating func setInput(_ port: Int, _ value: ValueID) {
        while inputs.count <= port { inputs.append(nil) }
        inputs[port] = value
    }
}
