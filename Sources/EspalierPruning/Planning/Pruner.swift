package import EspalierGraphs
package import EspalierOperators
package import EspalierTensors

/// Plans what to remove from one network, and applies plans: as masks, or by surgery.
///
/// ```swift
/// let pruner = try Pruner(graph)
/// let plan = try pruner.plan(PruningRequest(.channel, targets: [.maxMultiplyAccumulates(0.5)]))
/// let slim = try pruner.cut(plan)
/// let receipt = try pruner.receipt(for: plan, after: slim)
/// ```
package struct Pruner: Sendable {
    package let resolved: ResolvedGraph
    package let groups: PruningGroups

    /// - Parameter inputShapes: complete shapes of inputs; extents that are neither declared nor given count as 1.
    /// - Throws: ``PruningError/resolution(_:)``.
    package init(_ graph: Graph, inputShapes: [ValueID: Shape] = [:]) throws(PruningError) {
        do throws(ResolutionError) {
            self.init(try ResolvedGraph(graph, inputShapes: inputShapes))
        } catch {
            throw .resolution(error)
        }
    }

    package init(_ resolved: ResolvedGraph) {
        self.resolved = resolved
        groups = PruningGroups(resolved)
    }

    package var graph: Graph { resolved.graph }

    /// What to remove so that every target of `request` is met with nothing to spare; the network stays
    /// untouched.
    ///
    /// - Parameters:
    ///   - evidence: what the criterion requires.
    ///   - parameters: a graph of the same structure with newer weights to score, such as after some
    ///     training.
    ///   - earlier: a plan of which everything dropped stays dropped: the round before.
    /// - Throws: ``PruningError``; ``PruningError/infeasible(target:nearest:hint:)`` if the target cannot be
    ///   met.
    package func plan(
        _ request: PruningRequest, evidence: Evidence = .none, parameters: Graph? = nil,
        continuing earlier: PrunePlan? = nil
    ) throws(PruningError) -> PrunePlan {
        try request.check()
        try request.checkPatterns(groups.layers)
        var request = request
        request.scope = try request.scope.fitted(to: groups, granularity: request.granularity)
        let kinds = evidence.kinds
        for kind in request.criterion.requiredEvidence.subtracting(kinds).sorted(by: {
            $0.rawValue < $1.rawValue
        }) {
            throw .missingEvidence(
                criterion: request.criterion.information.id, kind: kind, parameter: "any parameter")
        }
        let scene = ScoringScene(parameters ?? graph, evidence: evidence, aggregation: request.aggregation)
        let scope = type(of: request.scope).information.id
        var plan = PrunePlan(
            model: graph.name, fingerprint: graph.structuralFingerprint, granularity: request.granularity,
            criterion: request.criterion.information.id, scope: scope,
            targets: request.targets.map { PrunePlan.Target(kind: $0.kind, value: $0.value) })
        switch request.granularity {
        case .element, .inputGroups, .blocks:
            var dropped: [ValueID: [Bool]] = [:]
            if let earlier, earlier.granularity != .channel {
                dropped = try masks(of: earlier).masks.mapValues { mask in mask.kept.map { !$0 } }
            }
            if request.scope is KnapsackScope {
                let planner = ElementPlanner(resolved: resolved, groups: groups, request: request)
                let parts = try planner.parts(scene, dropped: dropped)
                request.scope = KnapsackScope(
                    try SensitivityAllocator(resolved, groups, request).shares(of: parts))
            }
            let planner = ElementPlanner(resolved: resolved, groups: groups, request: request)
            plan.elements = try planner.plan(scene, dropped: dropped)
        case .channel:
            var dropped: [PruningGroup.ID: Set<Int>] = [:]
            if let earlier, earlier.granularity == .channel {
                for (group, units) in try droppedUnits(of: earlier) { dropped[group.id] = Set(units) }
            }
            if request.scope is KnapsackScope {
                let planner = ChannelPlanner(resolved: resolved, groups: groups, request: request)
                let parts = try planner.parts(scene, dropped: dropped)
                request.scope = KnapsackScope(
                    try SensitivityAllocator(resolved, groups, request).shares(of: parts))
            }
            let planner = ChannelPlanner(resolved: resolved, groups: groups, request: request)
            plan.channels = try planner.plan(scene, dropped: dropped)
            try confirm(plan, request)
        }
        return plan
    }

    /// Plans count costs by widths; this counts them on the network that surgery makes of the plan.
    private func confirm(_ plan: PrunePlan, _ request: PruningRequest) throws(PruningError) {
        let after = try resolve(try cut(plan))
        for case .maximum(let function, let share) in request.targets {
            let (was, now) = (
                CostModel(function, resolved).denseCost, CostModel(function, after).denseCost
            )
            guard now <= share * was * (1 + 1e-9) else {
                throw .surgery("it keeps \(now / was) of the \(function.name), planned was \(share)")
            }
        }
    }

    func resolve(_ graph: Graph) throws(PruningError) -> ResolvedGraph {
        do throws(ResolutionError) {
            return try ResolvedGraph(graph, inputShapes: resolved.inputShapes)
        } catch {
            throw .resolution(error)
        }
    }
}
