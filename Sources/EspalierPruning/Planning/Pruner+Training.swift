package import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// For methods that find out what is dispensable while they train: what may go, and a plan of what has gone.
extension Pruner {
    /// The groups whose channels may go, in the graph's order, and how many units each keeps at least.
    ///
    /// - Throws: ``PruningError/nothingToPrune(reasons:)``, ``PruningError/patternMatchesNothing(_:known:)``.
    package func openGroups(
        for request: PruningRequest
    ) throws(PruningError) -> [(group: PruningGroup, minimum: Int)] {
        try request.checkPatterns(groups.layers)
        let planner = ChannelPlanner(resolved: resolved, groups: groups, request: request)
        let open = groups.all.filter { planner.refusal(of: $0) == nil && $0.size > 1 }
        guard !open.isEmpty else {
            throw .nothingToPrune(
                reasons: groups.all.map { "\($0.id): \(planner.refusal(of: $0) ?? "a single channel")" })
        }
        return open.map { ($0, max(1, request.minimumKept.kept(of: $0.size))) }
    }

    /// The weights whose elements may go, in the graph's order.
    ///
    /// - Throws: as ``openGroups(for:)``.
    package func openWeights(for request: PruningRequest) throws(PruningError) -> [ValueID] {
        try request.checkPatterns(groups.layers)
        let weights = ElementPlanner(resolved: resolved, groups: groups, request: request).weights()
        let open = weights.filter { $0.refused == nil }
        guard !open.isEmpty else {
            throw .nothingToPrune(reasons: weights.map { "\($0.name): \($0.refused ?? "")" })
        }
        return open.map(\.id)
    }

    /// The zeros of the weights that `request` leaves alone, as masks: they were pruned before, and stay so while others are. Plans
    /// have them too.
    ///
    /// - Throws: what the request's scope throws that does not fit the network.
    package func heldZeros(for request: PruningRequest) throws(PruningError) -> MaskSet {
        var request = request
        request.scope = try request.scope.fitted(to: groups, granularity: request.granularity)
        let planner = ElementPlanner(resolved: resolved, groups: groups, request: request)
        var held = MaskSet()
        for weight in planner.weights() where weight.refused != nil { held[weight.id] = weight.left() }
        return held
    }

    /// A plan of channels that a method chose by itself.
    ///
    /// - Parameters:
    ///   - dropped: numbers of units, by group.
    ///   - method: what stands in the plan for a criterion.
    package func plan(
        _ request: PruningRequest, dropping dropped: [PruningGroup.ID: [Int]], method: String
    ) -> PrunePlan {
        let planner = ChannelPlanner(resolved: resolved, groups: groups, request: request)
        var plan = emptyPlan(request, method: method)
        plan.channels = groups.all.map { group in
            let units = dropped[group.id] ?? []
            return PrunePlan.Channels(
                group: group.id, size: group.size,
                requested: dropped[group.id].map { Double($0.count) / Double(group.size) },
                refused: planner.refusal(of: group), dropped: units.sorted())
        }
        return plan
    }

    /// A plan of the weights that are zero in a network which training made of this one. Of those that are left alone it is those
    /// that were zero before.
    ///
    /// - Parameter method: what stands in the plan for a criterion.
    package func plan(
        _ request: PruningRequest, droppingZerosOf parameters: Graph, method: String
    ) -> PrunePlan {
        let planner = ElementPlanner(resolved: resolved, groups: groups, request: request)
        var plan = emptyPlan(request, method: method)
        plan.elements = planner.weights().map { weight in
            guard weight.refused == nil else { return weight.entryLeftAlone() }
            let tensor = parameters.constants[weight.id] ?? weight.tensor
            let mask = Mask(nonzeroOf: tensor)
            return PrunePlan.Elements(
                parameter: weight.name, shape: tensor.shape.extents,
                requested: 1 - Double(mask.keptCount) / Double(max(1, tensor.count)), kept: mask.keptCount,
                mask: mask.keptCount < tensor.count ? PackedMask(mask.kept).base64 : nil)
        }
        return plan
    }

    private func emptyPlan(_ request: PruningRequest, method: String) -> PrunePlan {
        PrunePlan(
            model: graph.name, fingerprint: graph.structuralFingerprint, granularity: request.granularity,
            criterion: method, scope: type(of: request.scope).information.id,
            targets: request.targets.map { PrunePlan.Target(kind: $0.kind, value: $0.value) })
    }
}
