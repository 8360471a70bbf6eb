package import EspalierGraphs
import EspalierTensors

extension Pruner {
    /// The masks that a plan amounts to. For channels, every slice of a dropped unit is masked, those of the
    /// consumers included, so the masked network computes what the cut one does.
    ///
    /// - Throws: ``PruningError/planForAnotherModel(plan:model:)``, ``PruningError/planEntry(_:problem:)``.
    package func masks(of plan: PrunePlan) throws(PruningError) -> MaskSet {
        try checkFingerprint(plan)
        return switch plan.granularity {
        case .element, .inputGroups, .blocks: try elementMasks(plan.elements ?? [])
        case .channel: masks(dropping: try droppedUnits(of: plan))
        }
    }

    /// The network with a channel plan's units cut out.
    ///
    /// - Throws: as ``masks(of:)``; ``PruningError/node(_:_:)``, ``PruningError/surgery(_:)`` if an operator
    ///   cannot follow.
    package func cut(_ plan: PrunePlan) throws(PruningError) -> Graph {
        try Surgery(resolved, groups).cut(try droppedUnits(of: plan))
    }

    /// The network after a plan: cut for channels, masked for weights.
    package func applying(_ plan: PrunePlan) throws(PruningError) -> Graph {
        plan.granularity == .channel ? try cut(plan) : try masked(try masks(of: plan))
    }

    /// The network without some units, whoever chose them.
    ///
    /// - Throws: as ``cut(_:)``.
    package func cut(dropping dropped: [(group: PruningGroup, units: [Int])]) throws(PruningError) -> Graph {
        try Surgery(resolved, groups).cut(dropped)
    }

    /// Why a group cannot be cut although no axis is frozen: some operator has no way to express it.
    package func refusal(ofCutting group: PruningGroup) -> String? {
        Surgery(resolved, groups).refusal(ofCutting: group)
    }

    /// The network after edits of its weights and biases, and the same units in it.
    ///
    /// - Throws: ``PruningError/surgery(_:)`` if the edits do not leave the groups as they are,
    ///   ``PruningError/resolution(_:)``.
    package func following(
        _ patch: Patch, units dropped: [(group: PruningGroup, units: [Int])]
    ) throws(PruningError) -> (pruner: Pruner, units: [(group: PruningGroup, units: [Int])]) {
        let changed: Graph
        do throws(GraphError) {
            changed = try graph.applying(patch)
        } catch {
            throw .surgery("\(error)")
        }
        let pruner = Pruner(try resolve(changed))
        var units: [(group: PruningGroup, units: [Int])] = []
        for (group, numbers) in dropped {
            guard let same = pruner.groups[group.id], same.frozen == nil, same.size == group.size else {
                throw .surgery("group '\(group.id)' is no more once weights and biases are edited")
            }
            units.append((same, numbers))
        }
        return (pruner, units)
    }

    package func masked(_ masks: MaskSet) throws(PruningError) -> Graph {
        do throws(GraphError) {
            return try masks.applied(to: graph)
        } catch {
            throw .surgery("\(error)")
        }
    }

    func checkFingerprint(_ plan: PrunePlan) throws(PruningError) {
        let own = graph.structuralFingerprint
        guard plan.fingerprint == own else {
            throw .planForAnotherModel(plan: plan.fingerprint, model: own)
        }
    }

    // MARK: - Elements

    private func elementMasks(_ entries: [PrunePlan.Elements]) throws(PruningError) -> MaskSet {
        let ids = Dictionary(graph.parameters.map { (graph.name(of: $0), $0) }) { first, _ in first }
        var result = MaskSet()
        for entry in entries {
            guard let id = ids[entry.parameter], let tensor = graph.constants[id] else {
                throw .planEntry(entry.parameter, problem: "this model has no such parameter")
            }
            guard tensor.shape.extents == entry.shape else {
                throw .planEntry(
                    entry.parameter, problem: "its shape is \(tensor.shape), not \(Shape(entry.shape))")
            }
            guard result[id] == nil else { throw .planEntry(entry.parameter, problem: "it is listed twice") }
            guard let text = entry.mask else {
                guard entry.kept == tensor.count else {
                    throw .planEntry(
                        entry.parameter,
                        problem: "without a mask all \(tensor.count) elements are kept, not \(entry.kept)")
                }
                continue
            }
            guard let mask = PackedMask(base64: text, count: tensor.count) else {
                throw .planEntry(entry.parameter, problem: "its mask is not base64 of \(tensor.count) flags")
            }
            let flags = Mask(shape: tensor.shape, kept: mask.kept)
            guard flags.keptCount == entry.kept else {
                throw .planEntry(
                    entry.parameter,
                    problem: "its mask keeps \(flags.keptCount) elements, but 'kept' says \(entry.kept)")
            }
            result[id] = flags
        }
        return result
    }

    // MARK: - Channels

    /// The units that a channel plan drops, by group, checked against this network.
    package func droppedUnits(
        of plan: PrunePlan
    ) throws(PruningError) -> [(group: PruningGroup, units: [Int])] {
        try checkFingerprint(plan)
        var seen: Set<String> = []
        var result: [(group: PruningGroup, units: [Int])] = []
        for entry in plan.channels ?? [] {
            guard let group = groups[entry.group] else {
                throw .planEntry(entry.group, problem: "this model has no such group of channels")
            }
            guard seen.insert(entry.group).inserted else {
                throw .planEntry(entry.group, problem: "it is listed twice")
            }
            guard entry.size == group.size else {
                throw .planEntry(entry.group, problem: "it has \(group.size) channels, not \(entry.size)")
            }
            guard !entry.dropped.isEmpty else { continue }
            if let frozen = group.frozen {
                throw .planEntry(entry.group, problem: "nothing of it may be dropped: \(frozen.message)")
            }
            let units = Set(entry.dropped)
            guard units.count == entry.dropped.count else {
                throw .planEntry(entry.group, problem: "a channel is dropped twice")
            }
            if let stray = entry.dropped.first(where: { !(0..<group.size).contains($0) }) {
                throw .planEntry(entry.group, problem: "there is no channel \(stray) among its \(group.size)")
            }
            guard units.count < group.size else {
                throw .planEntry(entry.group, problem: "all its channels are dropped; one must stay")
            }
            result.append((group, units.sorted()))
        }
        return result
    }

    /// The masks of every slice of some units, those of their consumers included. Unlike a cut, masks may take all of a
    /// group.
    package func masks(dropping dropped: [(group: PruningGroup, units: [Int])]) -> MaskSet {
        var result = MaskSet()
        for (group, units) in dropped {
            for member in group.members {
                let id = member.axis.value
                guard let tensor = graph.constants[id], tensor.dtype.isFloatingPoint else { continue }
                var mask = result[id] ?? Mask(keepingAll: tensor.shape)
                for unit in units {
                    for index in member.indices(ofUnit: unit) {
                        mask.dropSlice(axis: member.axis.axis, index: index)
                    }
                }
                result[id] = mask
            }
        }
        return result
    }
}
