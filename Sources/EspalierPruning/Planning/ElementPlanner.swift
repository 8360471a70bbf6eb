import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Decides which single weights go.
struct ElementPlanner {
    let resolved: ResolvedGraph
    let groups: PruningGroups
    let request: PruningRequest

    /// One multiplied weight, whichever layers use it.
    private struct Weight {
        let id: ValueID
        let name: String
        let tensor: Tensor
        /// The axis of its output rows, if that is known and the same for all uses.
        let rowAxis: Int?
        var refused: String?
    }

    /// A weight that takes part: positions by ascending importance.
    private struct Candidate {
        let weight: Weight
        let order: [Ranked]
        let factor: Double
        let minimumKept: Int
        /// How many of the first in order are zero already.
        let gone: Int

        var size: Int { order.count }
        var limit: Int { max(gone, size - minimumKept) }
    }

    func plan(_ scene: ScoringScene, dropped: [ValueID: [Bool]]) throws(PruningError) -> [PrunePlan.Elements]
    {
        var weights = weights()
        var candidates: [Candidate] = []
        for place in weights.indices where weights[place].refused == nil {
            let weight = weights[place]
            do throws(PruningError) {
                candidates.append(try candidate(weight, scene, dropped: dropped[weight.id]))
            } catch .notScored(_, _, let reason) {
                weights[place].refused = "\(request.criterion.information.id): \(reason)"
            }
        }
        guard !candidates.isEmpty else {
            throw .nothingToPrune(reasons: weights.map { "\($0.name): \($0.refused ?? "")" })
        }
        let allocation = try allocate(candidates, others: weights.filter { $0.refused != nil })
        var entries: [ValueID: PrunePlan.Elements] = [:]
        for (place, candidate) in candidates.enumerated() {
            let count = max(allocation.counts[place], candidate.gone)
            entries[candidate.weight.id] = entry(
                candidate, dropping: count, wanted: max(allocation.wanted[place], candidate.gone))
        }
        return weights.map { weight in
            entries[weight.id]
                ?? PrunePlan.Elements(
                    parameter: weight.name, shape: weight.tensor.shape.extents, requested: nil,
                    refused: weight.refused, kept: weight.tensor.count, mask: nil)
        }
    }

    private func weights() -> [Weight] {
        var order: [ValueID] = []
        var layers: [ValueID: [WeightedLayer]] = [:]
        for layer in groups.layers {
            if layers[layer.weight] == nil { order.append(layer.weight) }
            layers[layer.weight, default: []].append(layer)
        }
        return order.compactMap { id in
            guard let tensor = resolved.graph.constants[id], let uses = layers[id] else { return nil }
            let refused =
                uses.compactMap { $0.refused?.message }.first
                ?? uses.compactMap { request.exclusion(of: $0) }.first
            let rowAxes = Set(uses.map(\.producerAxis))
            return Weight(
                id: id, name: resolved.graph.name(of: id), tensor: tensor,
                rowAxis: rowAxes.count == 1 ? rowAxes.first.flatMap { $0 } : nil, refused: refused)
        }
    }

    private func candidate(
        _ weight: Weight, _ scene: ScoringScene, dropped: [Bool]?
    ) throws(PruningError) -> Candidate {
        let parameter =
            scene.parameter(weight.id)
            ?? ScoredParameter(id: weight.id, name: weight.name, tensor: weight.tensor)
        var scores = try request.criterion.elementScores(of: parameter, scene: scene)
        guard scores.count == weight.tensor.count, parameter.tensor.count == scores.count,
            scores.count <= Int(UInt32.max)
        else {
            throw .scoreNotANumber(criterion: request.criterion.information.id, subject: weight.name)
        }
        if type(of: request.criterion).comparison == .withinOutputRow {
            scores = RowRanks.ranks(of: scores, shape: weight.tensor.shape, rowAxis: weight.rowAxis)
        }
        if request.usedNormalization == .rank {
            scores = ScoreNormalization.rank.normalized(scores.map { Double($0) }).map { Float($0) }
        }
        let factor = request.usedNormalization.factor(for: scores.map { Double($0) })
        // What is gone already goes first, whatever the criterion thinks of it.
        let values = parameter.tensor.scalars(as: Float.self)
        var gone = 0
        var order: [Ranked] = []
        order.reserveCapacity(scores.count)
        for (position, score) in scores.enumerated() {
            let isGone = values[position] == 0 || dropped?[position] == true
            if isGone { gone += 1 }
            order.append(Ranked(score: isGone ? -.infinity : score, position: position))
        }
        order.sort()
        let minimum = request.minimumKept.kept(of: order.count)
        return Candidate(
            weight: weight, order: order, factor: factor, minimumKept: minimum,
            // A weight that is all zero (freshly initialised, say) is not taken for pruned.
            gone: gone == order.count ? 0 : gone)
    }

    // MARK: - Targets

    private func allocate(_ candidates: [Candidate], others: [Weight]) throws(PruningError) -> Allocation {
        let scope = request.scope
        let layers = candidates.map { candidate in
            let layer = ScopedLayer(size: candidate.size, shape: candidate.weight.tensor.shape)
            let (order, factor) = (candidate.order, candidate.factor)
            return Allocation.Layer(stepCount: candidate.size, limit: candidate.limit) { rank in
                scope.key(rank: rank, score: Double(order[rank].score) * factor, in: layer)
            }
        }
        let present = Dictionary(
            uniqueKeysWithValues: others.map { ($0.id, $0.tensor.nonzeroCount) })
        let meters = request.targets.map { meter($0, candidates, present: present) }
        guard
            let allocation = Allocation.meeting(
                layers,
                isMet: { counts in
                    meters.allSatisfy { $0.isMet(counts) }
                })
        else {
            let limits = layers.map(\.limit)
            let failing = meters.first { !$0.isMet(limits) } ?? meters[0]
            throw .infeasible(
                target: failing.description, nearest: failing.value(limits),
                hint:
                    "Every layer keeps \(request.minimumKept.count) weights or more, "
                    + "and layers that are excluded keep all."
            )
        }
        return allocation
    }

    private func meter(
        _ target: PruningTarget, _ candidates: [Candidate], present: [ValueID: Int]
    ) -> TargetMeter<[Int]> {
        func removed(_ counts: [Int], _ place: Int) -> Int { max(counts[place], candidates[place].gone) }
        switch target {
        case .sparsity(let share):
            let total = candidates.reduce(0) { $0 + $1.size }
            return .sparsity(share, of: total) { counts in
                candidates.indices.reduce(0) { $0 + removed(counts, $1) }
            }
        case .maximum(let function, let share):
            let model = CostModel(function, resolved)
            return .maximum(function, share: share, dense: model.denseCost) { counts in
                var nonzeros = present
                for (place, candidate) in candidates.enumerated() {
                    nonzeros[candidate.weight.id] = candidate.size - removed(counts, place)
                }
                return model.cost(nonzeros: nonzeros)
            }
        }
    }

    // MARK: - Result

    private func entry(_ candidate: Candidate, dropping count: Int, wanted: Int) -> PrunePlan.Elements {
        var kept = [Bool](repeating: true, count: candidate.size)
        for ranked in candidate.order.prefix(count) { kept[ranked.position] = false }
        let refused =
            wanted > count
            ? "\(candidate.minimumKept) of \(candidate.size) weights are kept at least" : nil
        return PrunePlan.Elements(
            parameter: candidate.weight.name, shape: candidate.weight.tensor.shape.extents,
            requested: Double(wanted) / Double(candidate.size), refused: refused,
            kept: candidate.size - count, mask: count == 0 ? nil : PackedMask(kept).base64)
    }
}
