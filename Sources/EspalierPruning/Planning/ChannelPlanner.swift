import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Decides which channels go.
struct ChannelPlanner {
    let resolved: ResolvedGraph
    let groups: PruningGroups
    let request: PruningRequest

    /// A group that takes part.
    private struct Candidate {
        let group: PruningGroup
        /// Units by ascending importance, and their normalised scores in that order.
        let order: [Int]
        let scores: [Double]
        /// How many units are gone after each removal: cumulative, ascending.
        let removals: [Int]
        /// The number of removals that may be made.
        let limit: Int
        /// The number of units, first in order, that go in any case.
        let gone: Int

        /// The units that are gone after so many removals.
        func dropped(_ count: Int) -> ArraySlice<Int> {
            order.prefix(max(gone, count == 0 ? 0 : removals[count - 1]))
        }
    }

    /// - Parameter dropped: units that go in any case, by group.
    func plan(
        _ scene: ScoringScene, dropped: [PruningGroup.ID: Set<Int>]
    ) throws(PruningError) -> [PrunePlan.Channels] {
        let (candidates, refusals) = try candidates(scene, dropped: dropped)
        let allocation = try allocate(candidates)
        var entries: [PruningGroup.ID: PrunePlan.Channels] = [:]
        for (place, candidate) in candidates.enumerated() {
            entries[candidate.group.id] = entry(
                candidate, count: allocation.counts[place], wanted: allocation.wanted[place])
        }
        return groups.all.map { group in
            entries[group.id]
                ?? PrunePlan.Channels(
                    group: group.id, size: group.size, requested: nil, refused: refusals[group.id],
                    dropped: [])
        }
    }

    /// The groups that take part, with what ``KnapsackScope`` takes a share of their units to cost.
    func parts(
        _ scene: ScoringScene, dropped: [PruningGroup.ID: Set<Int>]
    ) throws(PruningError) -> [SensitivityAllocator.Part] {
        try candidates(scene, dropped: dropped).taking.filter { $0.limit > 0 }.map { candidate in
            let scores = candidate.scores.map { max($0, 0) }
            let total = scores.reduce(0, +)
            var left = total
            // Coupled layers lose the same share each.
            let layers = Double(max(1, groups.layers(producing: candidate.group).count))
            let points = scores.enumerated().map { place, score in
                left -= score
                return (
                    share: Double(place + 1) / Double(scores.count),
                    increase: layers * KnapsackScope.damage(left: left, of: total)
                )
            }
            return .init(id: candidate.group.id, curve: DamageCurve(points))
        }
    }

    // MARK: - Who takes part

    /// - Returns: the groups that take part, and why others do not.
    private func candidates(
        _ scene: ScoringScene, dropped: [PruningGroup.ID: Set<Int>]
    ) throws(PruningError) -> (taking: [Candidate], refusals: [PruningGroup.ID: String]) {
        var refusals: [PruningGroup.ID: String] = [:]
        var candidates: [Candidate] = []
        for group in groups.all {
            if let reason = refusal(of: group) {
                refusals[group.id] = reason
                continue
            }
            do throws(PruningError) {
                candidates.append(try candidate(group, scene, dropped: dropped[group.id] ?? []))
            } catch .notScored(_, _, let reason) {
                refusals[group.id] = "\(request.criterion.information.id): \(reason)"
            }
        }
        guard candidates.contains(where: { $0.limit > 0 }) else {
            throw .nothingToPrune(reasons: groups.all.map { "\($0.id): \(refusals[$0.id] ?? "too small")" })
        }
        return (candidates, refusals)
    }

    /// Why a group takes no part; nil if it does.
    func refusal(of group: PruningGroup) -> String? {
        if let frozen = group.frozen { return frozen.message }
        for layer in groups.layers(producing: group) {
            if let reason = request.exclusion(of: layer) { return reason }
        }
        if let reason = request.scope.exclusion(of: group.id) { return reason }
        // Some cuts no operator can express; better known before than after.
        let surgery = Surgery(resolved, groups)
        if let problem = surgery.refusal(ofCutting: group) { return problem }
        return nil
    }

    private func candidate(
        _ group: PruningGroup, _ scene: ScoringScene, dropped: Set<Int>
    ) throws(PruningError) -> Candidate {
        let scores = try request.criterion.unitScores(of: group, scene: scene)
        guard scores.count == group.size, !scores.contains(where: \.isNaN) else {
            throw .scoreNotANumber(criterion: request.criterion.information.id, subject: group.id)
        }
        let ranked = request.usedNormalization.normalized(scores).enumerated()
            .map { (score: dropped.contains($0) ? -.infinity : $1, unit: $0) }
            .sorted { ($0.score, $0.unit) < ($1.score, $1.unit) }
        let removals = removals(of: group.size)
        let minimum = request.minimumKept.kept(of: group.size)
        return Candidate(
            group: group, order: ranked.map(\.unit), scores: ranked.map(\.score), removals: removals,
            limit: removals.prefix { group.size - $0 >= minimum }.count,
            gone: min(dropped.count, group.size - 1))
    }

    /// The numbers of units that may be gone, ascending: all, or those that leave a multiple.
    private func removals(of size: Int) -> [Int] {
        let multiple = request.channelMultiple
        return (1..<max(size, 1)).filter { (size - $0) % multiple == 0 || size <= multiple } + [size]
    }

    // MARK: - Targets

    private func allocate(_ candidates: [Candidate]) throws(PruningError) -> Allocation {
        let scope = request.scope
        let layers = candidates.map { candidate in
            let shape = candidate.group.members.first.flatMap { resolved.facts[$0.axis.value]?.shape } ?? []
            let layer = ScopedLayer(name: candidate.group.id, size: candidate.group.size, shape: shape)
            let (scores, removals) = (candidate.scores, candidate.removals)
            return Allocation.Layer(stepCount: removals.count, limit: candidate.limit) { step in
                let first = step == 0 ? 0 : removals[step - 1]
                let together = scores[first..<removals[step]]
                let score = together.reduce(0, +) / Double(together.count)
                return scope.key(removed: Double(first + removals[step]) / 2, score: score, in: layer)
            }
        }
        let meters = request.targets.compactMap { meter($0, candidates) }
        // One cut answers for all targets.
        let relevant = meters.reduce(into: Set<ValueID>()) { $0.formUnion($1.relevantValues) }
        func cut(_ counts: [Int]) -> GraphCut {
            GraphCut(
                dropping: candidates.indices.map {
                    (candidates[$0].group, Array(candidates[$0].dropped(counts[$0])))
                },
                in: resolved, where: relevant.contains)
        }
        return try Allocation.allocating(
            request, among: layers, meters: meters.map(\.meter), hint: hint(candidates), removals: cut)
    }

    private func hint(_ candidates: [Candidate]) -> String {
        let left = groups.all.count - candidates.count
        return "\(left) of \(groups.all.count) groups take no part (frozen or left alone); "
            + "each of the others keeps at least \(request.minimumKept.count) channels and "
            + "\(request.minimumKept.fraction) of its channels."
    }

    private struct Meter {
        let meter: TargetMeter<GraphCut>
        let relevantValues: Set<ValueID>
    }

    private func meter(_ target: PruningTarget, _ candidates: [Candidate]) -> Meter? {
        switch target {
        case .completion: return nil
        case .sparsity(let share):
            let model = CostModel(.parameters, resolved)
            let touched = Set(candidates.flatMap { $0.group.members.map(\.axis.value) })
                .filter { resolved.graph.constants[$0]?.dtype.isFloatingPoint == true }
            let total = touched.reduce(0) { $0 + (resolved.graph.constants[$1]?.count ?? 0) }
            let meter = TargetMeter<GraphCut>.sparsity(share, of: total) { cut in
                Int(model.denseCost - model.cost(of: cut))
            }
            return Meter(meter: meter, relevantValues: touched)
        case .maximum(let function, let share):
            let model = CostModel(function, resolved)
            let meter = TargetMeter<GraphCut>.maximum(function, share: share, dense: model.denseCost) { cut in
                model.cost(of: cut)
            }
            return Meter(meter: meter, relevantValues: model.relevantValues)
        }
    }

    // MARK: - Result

    private func entry(_ candidate: Candidate, count: Int, wanted: Int) -> PrunePlan.Channels {
        let size = candidate.group.size
        var refused: String?
        if wanted > count {
            refused = "\(request.minimumKept.kept(of: size)) of \(size) channels are kept at least"
            if request.channelMultiple > 1 { refused? += ", in multiples of \(request.channelMultiple)" }
        }
        let asked = wanted == 0 ? 0 : candidate.removals[wanted - 1]
        return PrunePlan.Channels(
            group: candidate.group.id, size: size, requested: Double(asked) / Double(size), refused: refused,
            dropped: candidate.dropped(count).sorted())
    }
}

extension PruningGroups {
    /// The layers whose output channels a group is, in whole or in part.
    func layers(producing group: PruningGroup) -> [WeightedLayer] {
        let producers = Set(group.members.filter { $0.role == .producer }.map(\.axis))
        return layers.filter { layer in
            layer.producerAxis.map { producers.contains(ValueAxis(layer.weight, axis: $0)) } ?? false
        }
    }
}
