package import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// The networks to look at to learn how much each part of one matters: with a share of that part removed, and all
/// others whole.
///
/// What goes is what pruning would take: a plan is made for each share, and of it one part is applied at a time.
package struct SensitivityProbes {
    /// A weight, or a group of channels with all its members.
    package struct Part: Sendable {
        /// The group's id or the weight's name: unique, and known to plans.
        package let id: String
        /// The group's id, or the name of the weight's layer where that tells it.
        package let name: String
        package let size: Int
        /// The names of the layers whose weights or output channels these are.
        package let members: [String]
        /// By ascending sparsity.
        package fileprivate(set) var probes: [Probe] = []
    }

    /// One part with something removed.
    package struct Probe: Sendable {
        /// The share that was asked for.
        package let sparsity: Double
        /// How many elements or units are gone.
        package let count: Int
        /// The share of the network's multiply-accumulates that this saves.
        package let macsSaved: Double
        fileprivate let plan: PrunePlan
    }

    package private(set) var parts: [Part] = []
    /// What cannot be pruned, and why.
    package private(set) var refusals: [(name: String, reason: String)] = []
    private let pruner: Pruner
    private let granularity: Granularity
    private let criterion: any Criterion
    private let evidence: Evidence

    /// - Parameters:
    ///   - request: its targets and scope do not matter.
    ///   - sparsities: from 0 to below 1; 0 needs no probe.
    /// - Throws: ``PruningError``, also for N:M granularity, of which there is only one share.
    package init(
        _ pruner: Pruner, _ request: PruningRequest, sparsities: [Double], evidence: Evidence
    ) throws(PruningError) {
        self.pruner = pruner
        self.evidence = evidence
        granularity = request.granularity
        criterion = request.criterion
        for sparsity in Set(sparsities).sorted() where sparsity > 0 {
            var request = request
            request.scope = AllocationScope(try everywhere(sparsity))
            request.targets = [.completion(1)]
            let plan = try pruner.plan(request, evidence: evidence)
            let removals = removals(of: plan)
            if parts.isEmpty { list(removals) }
            for (place, part) in parts.enumerated() {
                guard let removal = removals.first(where: { $0.id == part.id }) else { continue }
                parts[place].probes.append(
                    Probe(
                        sparsity: sparsity, count: removal.count, macsSaved: try macsSaved(removal.plan),
                        plan: removal.plan))
            }
        }
    }

    /// The number of different networks.
    package var count: Int {
        parts.reduce(0) { $0 + Set($1.probes.map(\.count)).subtracting([0]).count }
    }

    /// The network with a probe's removal as masks, so that it computes what a cut one would.
    ///
    /// - Throws: ``PruningError``, `GraphError`.
    package func network(with probe: Probe) throws -> Graph {
        let graph = try pruner.compensating(probe.plan, by: criterion, evidence: evidence)
        return try pruner.masks(of: probe.plan).applied(to: graph)
    }

    private func everywhere(_ sparsity: Double) throws(PruningError) -> LayerAllocation {
        var seen: Set<String> = []
        let names =
            granularity == .channel ? pruner.groups.all.map(\.id) : pruner.groups.layers.map(\.weightName)
        return try LayerAllocation(
            layers: names.filter { seen.insert($0).inserted }.map { .init(name: $0, sparsity: sparsity) },
            granularity: granularity)
    }

    // MARK: - Parts of plans

    /// One entry of a plan with a plan of its own.
    private struct Removal {
        let id: String
        let size: Int
        let count: Int
        /// Why nothing is removed; nil for those that take part.
        let refused: String?
        let plan: PrunePlan
    }

    private func removals(of plan: PrunePlan) -> [Removal] {
        var alone = plan
        (alone.channels, alone.elements) = (nil, nil)
        let channels = (plan.channels ?? []).map { entry in
            alone.channels = [entry]
            return Removal(
                id: entry.group, size: entry.size, count: entry.dropped.count,
                refused: entry.requested == nil ? entry.refused ?? "" : nil, plan: alone)
        }
        let elements = (plan.elements ?? []).map { entry in
            alone.elements = [entry]
            let size = entry.shape.reduce(1, *)
            return Removal(
                id: entry.parameter, size: size, count: size - entry.kept,
                refused: entry.requested == nil ? entry.refused ?? "" : nil, plan: alone)
        }
        return channels + elements
    }

    private mutating func list(_ removals: [Removal]) {
        for removal in removals {
            let layers = layers(of: removal.id)
            let name = name(of: removal.id, layers)
            if let refused = removal.refused {
                refusals.append((name, refused))
            } else {
                parts.append(
                    Part(id: removal.id, name: name, size: removal.size, members: layers.map(\.name)))
            }
        }
    }

    private func layers(of id: String) -> [WeightedLayer] {
        guard granularity == .channel else { return pruner.groups.layers.filter { $0.weightName == id } }
        return pruner.groups[id].map { pruner.groups.layers(producing: $0) } ?? []
    }

    /// People know layers; a name that several have, or that stands for one of several, would not do.
    private func name(of id: String, _ layers: [WeightedLayer]) -> String {
        guard granularity != .channel, layers.count == 1, let name = layers.first?.name,
            pruner.groups.layers.count(where: { $0.name == name || $0.weightName == name }) == 1
        else { return id }
        return name
    }

    private func macsSaved(_ plan: PrunePlan) throws(PruningError) -> Double {
        let model = CostModel(.multiplyAccumulates, pruner.resolved)
        guard model.denseCost > 0 else { return 0 }
        let cost: Double
        if granularity == .channel {
            let cut = GraphCut(
                dropping: try pruner.droppedUnits(of: plan), in: pruner.resolved,
                where: model.relevantValues.contains)
            cost = model.cost(of: cut)
        } else {
            cost = model.cost(nonzeros: try pruner.masks(of: plan).masks.mapValues(\.keptCount))
        }
        return 1 - cost / model.denseCost
    }
}
