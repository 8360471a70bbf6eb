import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Decides which weights go: singly, in blocks, or the same number of every group of inputs.
struct ElementPlanner {
    let resolved: ResolvedGraph
    let groups: PruningGroups
    let request: PruningRequest

    /// One multiplied weight, whichever layers use it.
    struct Weight {
        let id: ValueID
        let name: String
        let tensor: Tensor
        /// The axes of its output rows and of its inputs, if they are known and the same for all uses.
        let rowAxis: Int?
        let inputAxis: Int?
        var refused: String?

        /// Which elements of it, or of its newer values, are gone already: zeros, and what an earlier plan drops. A weight that is all
        /// zero (freshly initialised, say) is not taken for pruned.
        static func isGone(_ values: Tensor, dropped: [Bool]?) -> [Bool] {
            let values = values.scalars(as: Float.self)
            let isGone = values.indices.map { values[$0] == 0 || dropped?[$0] == true }
            return isGone.allSatisfy { $0 } ? [Bool](repeating: false, count: isGone.count) : isGone
        }

        /// What is left of it if it takes no part: what is gone stays so while the network trains. Nil for all of it, as for what does
        /// not train.
        func left(dropped: [Bool]? = nil) -> Mask? {
            guard tensor.dtype == .float32 else { return nil }
            let isGone = Self.isGone(tensor, dropped: dropped)
            return isGone.contains(true) ? Mask(shape: tensor.shape, kept: isGone.map { !$0 }) : nil
        }

        /// The entry of a plan in which it takes no part.
        func entryLeftAlone(dropped: [Bool]? = nil) -> PrunePlan.Elements {
            let left = left(dropped: dropped)
            return PrunePlan.Elements(
                parameter: name, shape: tensor.shape.extents, requested: nil, refused: refused,
                kept: left?.keptCount ?? tensor.count, mask: left.map { PackedMask($0.kept).base64 })
        }
    }

    /// A weight that takes part.
    private struct Candidate {
        let weight: Weight
        let order: RemovalOrder
        /// What scores are multiplied with to compare them with other weights'.
        let factor: Double
        let minimumKept: Int

        /// The number of removals that may be made.
        var limit: Int { order.removals(leaving: minimumKept) }
    }

    func plan(_ scene: ScoringScene, dropped: [ValueID: [Bool]]) throws(PruningError) -> [PrunePlan.Elements]
    {
        let (weights, candidates) = try candidates(scene, dropped: dropped)
        // What is left of those that take no part.
        let others = weights.filter { $0.refused != nil }.map { weight in
            (weight.id, Weight.isGone(weight.tensor, dropped: dropped[weight.id]).count { !$0 })
        }
        let allocation = try allocate(candidates, others: Dictionary(uniqueKeysWithValues: others))
        var entries: [ValueID: PrunePlan.Elements] = [:]
        for (place, candidate) in candidates.enumerated() {
            entries[candidate.weight.id] = entry(
                candidate, removals: allocation.counts[place], wanted: allocation.wanted[place])
        }
        return weights.map { weight in
            entries[weight.id] ?? weight.entryLeftAlone(dropped: dropped[weight.id])
        }
    }

    /// The weights that take part, with what ``KnapsackScope`` takes a share of their elements to cost.
    func parts(
        _ scene: ScoringScene, dropped: [ValueID: [Bool]]
    ) throws(PruningError) -> [SensitivityAllocator.Part] {
        try candidates(scene, dropped: dropped).taking.map { candidate in
            let order = candidate.order
            func gone(_ removals: Int) -> Int { order.goneCount(after: removals) }
            // What is gone already has no score left.
            let scores = (0..<order.removalCount).map { removal in
                max(Double(order.score(of: removal)), 0) * Double(gone(removal + 1) - gone(removal))
            }
            let total = scores.reduce(0, +)
            var left = total
            var points: [(share: Double, increase: Double)] = []
            let stride = max(1, order.removalCount / Self.curvePoints)
            for (removal, score) in scores.enumerated() {
                left -= score
                if (removal + 1).isMultiple(of: stride) || removal + 1 == scores.count {
                    points.append(
                        (
                            Double(gone(removal + 1)) / Double(order.size),
                            KnapsackScope.damage(left: left, of: total)
                        ))
                }
            }
            return .init(id: candidate.weight.name, curve: DamageCurve(points))
        }
    }

    /// A sum of so many scores is smooth: between so many points nothing is lost.
    private static let curvePoints = 200

    // MARK: - Who takes part

    /// - Returns: all weights, those that are refused with the reason, and the ones that take part.
    private func candidates(
        _ scene: ScoringScene, dropped: [ValueID: [Bool]]
    ) throws(PruningError) -> (weights: [Weight], taking: [Candidate]) {
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
        return (weights, candidates)
    }

    /// All multiplied weights, those that take no part with the reason.
    func weights() -> [Weight] {
        var order: [ValueID] = []
        var layers: [ValueID: [WeightedLayer]] = [:]
        for layer in groups.layers {
            if layers[layer.weight] == nil { order.append(layer.weight) }
            layers[layer.weight, default: []].append(layer)
        }
        return order.compactMap { id in
            guard let tensor = resolved.graph.constants[id], let uses = layers[id] else { return nil }
            let (rowAxis, inputAxis) = (common(uses.map(\.producerAxis)), common(uses.map(\.consumerAxis)))
            let name = resolved.graph.name(of: id)
            let refused =
                uses.compactMap { $0.refused?.message }.first
                ?? uses.compactMap { request.exclusion(of: $0) }.first
                ?? request.scope.exclusion(of: name)
                ?? request.granularity.refusal(of: tensor.shape, rowAxis: rowAxis, inputAxis: inputAxis)
            return Weight(
                id: id, name: name, tensor: tensor, rowAxis: rowAxis, inputAxis: inputAxis, refused: refused)
        }
    }

    /// The axis that all uses agree on.
    private func common(_ axes: [Int?]) -> Int? {
        Set(axes).count == 1 ? axes[0] : nil
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
        // What is gone already goes first, whatever the criterion thinks of it.
        let isGone = Weight.isGone(parameter.tensor, dropped: dropped)
        let (order, factor) = order(weight, scores, isGone: isGone)
        return Candidate(
            weight: weight, order: order, factor: factor,
            minimumKept: request.minimumKept.kept(of: order.size))
    }

    /// What goes together and in which order, and the factor that makes the scores comparable with other weights'.
    private func order(
        _ weight: Weight, _ scores: [Float], isGone: [Bool]
    ) -> (order: RemovalOrder, factor: Double) {
        let shape = weight.tensor.shape
        var scores = scores
        var blocks: BlockPartition?
        switch request.granularity {
        case .element, .channel: break
        case .blocks(let outputs, let inputs):
            let partition = BlockPartition(
                shape, outputs: outputs, inputs: inputs, rowAxis: weight.rowAxis, inputAxis: weight.inputAxis)
            scores = partition.scores(of: scores, by: request.aggregation ?? .sum)
            blocks = partition
        case .inputGroups(let kept, let size):
            // Groups compare nothing with other groups, so nothing has to be made comparable.
            let ranks = InputGroups.ranks(
                of: scores, isGone: isGone, shape: shape, axis: weight.inputAxis ?? 0, kept: kept, size: size)
            return (RemovalOrder(removalCount: size - kept, partOfElement: ranks, isGone: isGone), 1)
        }
        let normalization = request.usedNormalization
        var factor = 1.0
        if normalization != .none {
            let numbers = scores.map { Double($0) }
            if normalization == .rank { scores = normalization.normalized(numbers).map { Float($0) } }
            factor = normalization.factor(for: numbers)
        }
        return (
            RemovalOrder(scores: scores, partOfElement: blocks?.blockOfElement, isGone: isGone), factor
        )
    }

    // MARK: - Targets

    /// - Parameter others: the numbers of elements of the weights that take no part.
    private func allocate(
        _ candidates: [Candidate], others: [ValueID: Int]
    ) throws(PruningError) -> Allocation {
        let layers = candidates.map { candidate in
            Allocation.Layer(
                stepCount: candidate.order.removalCount, limit: candidate.limit, key: key(candidate))
        }
        let meters = request.targets.compactMap { meter($0, candidates, present: others) }
        let hint =
            request.granularity.fixesShares
            ? "\(request.granularity.rawValue) removes the same of every layer that takes part, no more and no less."
            : "Every layer keeps \(request.minimumKept.count) weights or more, "
                + "and layers that are excluded keep all."
        return try Allocation.allocating(request, among: layers, meters: meters, hint: hint) { $0 }
    }

    private func key(_ candidate: Candidate) -> @Sendable (Int) -> Double {
        let (order, factor, scope) = (candidate.order, candidate.factor, request.scope)
        if request.granularity.fixesShares {
            // The same number goes of every group, whatever that is of the layer's elements.
            return { (Double($0) + 0.5) / Double(order.removalCount) }
        }
        let layer = ScopedLayer(
            name: candidate.weight.name, size: order.size, shape: candidate.weight.tensor.shape)
        return { removal in
            scope.key(
                removed: order.middle(of: removal), score: Double(order.score(of: removal)) * factor,
                in: layer)
        }
    }

    /// Nil for what the granularity or an allocation asks by itself.
    private func meter(
        _ target: PruningTarget, _ candidates: [Candidate], present: [ValueID: Int]
    ) -> TargetMeter<[Int]>? {
        func gone(_ counts: [Int], _ place: Int) -> Int {
            candidates[place].order.goneCount(after: counts[place])
        }
        switch target {
        case .completion: return nil
        case .sparsity(let share):
            let total = candidates.reduce(0) { $0 + $1.order.size }
            return .sparsity(share, of: total) { counts in
                candidates.indices.reduce(0) { $0 + gone(counts, $1) }
            }
        case .maximum(let function, let share):
            let model = CostModel(function, resolved)
            return .maximum(function, share: share, dense: model.denseCost) { counts in
                var nonzeros = present
                for (place, candidate) in candidates.enumerated() {
                    nonzeros[candidate.weight.id] = candidate.order.size - gone(counts, place)
                }
                return model.cost(nonzeros: nonzeros)
            }
        }
    }

    // MARK: - Result

    private func entry(_ candidate: Candidate, removals: Int, wanted: Int) -> PrunePlan.Elements {
        let order = candidate.order
        let (gone, asked) = (order.goneCount(after: removals), order.goneCount(after: wanted))
        let refused =
            asked > gone ? "\(candidate.minimumKept) of \(order.size) weights are kept at least" : nil
        return PrunePlan.Elements(
            parameter: candidate.weight.name, shape: candidate.weight.tensor.shape.extents,
            requested: Double(asked) / Double(order.size), refused: refused,
            kept: order.size - gone, mask: gone == 0 ? nil : PackedMask(order.kept(after: removals)).base64)
    }
}
