package import EspalierGraphs
package import EspalierOperators
import EspalierTensors

/// Finds the units of a network that say the same whatever the data, and removes them without changing what it computes on
/// those data.
///
/// A unit is judged where its channels end, in the layers that read it: constant there over all samples and positions.
/// If it is zero, as a ReLU unit that never fires, it goes without a trace. Any other constant adds the same to what its
/// readers make at every position, and goes into their biases; where it does not add the same everywhere (zero padding
/// takes it away at the border) the unit stays.
package struct DeadUnits {
    package let pruner: Pruner
    /// The constant units of each group that can go, ascending.
    package private(set) var units: [(group: PruningGroup, units: [Int])] = []
    /// Why constant units of some groups stay, or why groups could not be judged.
    package private(set) var reasons: [PruningGroup.ID: String] = [:]
    private var folding: ConstantFolding

    /// What must be measured.
    package static let requiredEvidence: Set<EvidenceKind> = [.activationMinima, .activationMaxima]

    /// - Parameters:
    ///   - resolved: with the shapes that the data have.
    ///   - evidence: ``requiredEvidence``, of all data on which outputs are to stay.
    ///   - keep: layers to leave alone, by name.
    /// - Throws: ``PruningError/missingEvidence(criterion:kind:parameter:)``,
    ///   ``PruningError/patternMatchesNothing(_:known:)``.
    package init(
        _ resolved: ResolvedGraph, evidence: Evidence, keep: [NamePattern] = []
    ) throws(PruningError) {
        for kind in Self.requiredEvidence where evidence.tensors[kind] == nil {
            throw .missingEvidence(criterion: "dead units", kind: kind, parameter: "any parameter")
        }
        pruner = Pruner(resolved)
        folding = ConstantFolding(resolved)
        let request = PruningRequest(
            .channel, targets: [.sparsity(0)], keep: keep, prunesFirstAndLast: true)
        try request.checkPatterns(pruner.groups.layers)
        let endings = ActivationSites(resolved, pruner.groups).endingPorts
        for group in pruner.groups.open {
            let excluded = pruner.groups.layers(producing: group).lazy.compactMap {
                request.exclusion(of: $0)
            }
            if let reason = excluded.first ?? Surgery(resolved, pruner.groups).refusal(ofCutting: group) {
                reasons[group.id] = reason
                continue
            }
            judge(group, endings: endings, evidence: evidence)
        }
    }

    // MARK: - Judging

    /// Where a group's channels end at one port, and each unit's constant there; nil for units that vary.
    private struct Reading {
        let ending: ActivationSites.EndingPort
        let member: GroupMember
        /// nil for one that no constant can be folded into.
        let reader: LinearReader?
        let constants: [Double?]
    }

    private mutating func judge(
        _ group: PruningGroup, endings: [ActivationSites.EndingPort], evidence: Evidence
    ) {
        var readings: [Reading] = []
        for ending in endings {
            for member in group.activations where member.axis == ending.axis {
                guard let constants = constants(of: group, member, evidence: evidence) else {
                    reasons[group.id] = "its channels could not be watched where they end"
                    return
                }
                readings.append(
                    Reading(
                        ending: ending, member: member,
                        reader: LinearReader(ending, in: pruner.resolved), constants: constants))
            }
        }
        guard !readings.isEmpty else { return }
        var found: [Int] = []
        for unit in 0..<group.size {
            let values = readings.map { $0.constants[unit] }
            guard values.allSatisfy({ $0 != nil }) else { continue }
            // The shifts of all readers, before any is taken up: a unit goes everywhere or nowhere.
            var shifts: [(node: NodeID, shift: ConstantFolding.Shift)] = []
            var isExact = true
            for (reading, value) in zip(readings, values) {
                guard let value, value != 0 else { continue }
                let values = reading.member.indices(ofUnit: unit).map { ($0, value) }
                guard let shift = reading.reader?.shift(of: Dictionary(uniqueKeysWithValues: values)) else {
                    isExact = false
                    break
                }
                shifts.append((reading.ending.node, shift))
            }
            guard isExact, found.count + 1 < group.size else {
                reasons[group.id] =
                    isExact
                    ? "all its units are constant; one must stay"
                    : "some units are constant, but not zero, and do not add the same at every position"
                continue
            }
            for (node, shift) in shifts { folding.add(shift, to: node) }
            found.append(unit)
        }
        if !found.isEmpty { units.append((group, found)) }
    }

    private func constants(
        of group: PruningGroup, _ member: GroupMember, evidence: Evidence
    ) -> [Double?]? {
        let (value, axis) = (member.axis.value, member.axis.axis)
        guard let low = evidence[.activationMinima][value], let high = evidence[.activationMaxima][value],
            low.shape.rank > axis, low.shape[axis] == low.count, high.shape == low.shape
        else { return nil }
        let (minima, maxima) = (low.scalars(as: Double.self), high.scalars(as: Double.self))
        return (0..<group.size).map { unit in
            let indices = member.indices(ofUnit: unit)
            guard let first = indices.first, minima[first].isFinite,
                indices.allSatisfy({ minima[$0] == minima[first] && maxima[$0] == minima[first] })
            else { return nil }
            return minima[first]
        }
    }

    // MARK: - Results

    package var count: Int { units.reduce(0) { $0 + $1.units.count } }

    /// The plan that drops them.
    package var plan: PrunePlan {
        let dropped = Dictionary(uniqueKeysWithValues: units.map { ($0.group.id, $0.units) })
        let graph = pruner.graph
        return PrunePlan(
            model: graph.name, fingerprint: graph.structuralFingerprint, granularity: .channel,
            criterion: "dead-units", scope: "none", targets: [],
            channels: pruner.groups.all.map { group in
                let units = dropped[group.id] ?? []
                return PrunePlan.Channels(
                    group: group.id, size: group.size,
                    requested: group.frozen == nil ? Double(units.count) / Double(group.size) : nil,
                    refused: group.frozen?.message ?? reasons[group.id], dropped: units)
            })
    }

    /// The network without them, their constants in their readers' biases.
    ///
    /// - Throws: ``PruningError``, if the cut does not come out as it should.
    package func removed() throws(PruningError) -> Graph {
        var patch = Patch(for: pruner.graph)
        folding.append(to: &patch)
        let folded = try pruner.following(patch, units: units)
        return try folded.pruner.cut(dropping: folded.units)
    }
}
