import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Shares a removal between the parts of a network so that a target is met with the least damage that measured curves
/// predict.
///
/// Li et al. 2017 prune layers by such curves, by hand; NetAdapt (Yang et al. 2018) takes from one layer at a time and
/// measures again; AMC (He et al. 2018) learns the shares. Here the curves are measured once and the shares found by
/// ``AllocationSearch`` with the true cost of every combination of widths.
package struct SensitivityAllocator {
    /// A group of channels or a weight.
    package struct Part: Sendable {
        /// The group's id or the weight's name.
        package let id: String
        package let curve: DamageCurve

        package init(id: String, curve: DamageCurve) {
            self.id = id
            self.curve = curve
        }
    }

    /// How much of one part is to go.
    package struct Share: Sendable {
        package let id: String
        package let size: Int
        package let removed: Int

        package var sparsity: Double { Double(removed) / Double(size) }
    }

    private let resolved: ResolvedGraph
    private let groups: PruningGroups
    private let request: PruningRequest

    /// - Parameter request: its granularity, targets and least numbers kept are what counts.
    package init(_ pruner: Pruner, _ request: PruningRequest) {
        self.init(pruner.resolved, pruner.groups, request)
    }

    init(_ resolved: ResolvedGraph, _ groups: PruningGroups, _ request: PruningRequest) {
        self.resolved = resolved
        self.groups = groups
        self.request = request
    }

    /// The shares of `parts`, in their order; everything else stays whole. No part goes beyond what was measured of it.
    ///
    /// - Throws: ``PruningError/infeasible(target:nearest:hint:)``; ``PruningError/invalidTarget(_:)`` if the request has
    ///   no target or one that decides on shares itself; ``PruningError/planEntry(_:problem:)`` for an unknown part.
    package func shares(of parts: [Part]) throws(PruningError) -> [Share] {
        try request.check()
        let problem = try request.granularity == .channel ? channels(parts) : elements(parts)
        let counts = problem.counts
        let damages = zip(parts, zip(problem.sizes, counts)).map { part, levels in
            levels.1.map { part.curve.damage(at: Double($0) / Double(levels.0)) }
        }
        let search = AllocationSearch(damages: damages) { levels in
            var load = 0.0
            for meter in problem.meters { load = max(load, meter.kept(levels) / meter.allowed) }
            return load
        }
        guard let found = search.levels() else {
            let utmost = counts.map { $0.count - 1 }
            let failing =
                problem.meters.first { $0.kept(utmost) > $0.allowed } ?? problem.meters[0]
            throw .infeasible(
                target: failing.target, nearest: failing.value(failing.kept(utmost)),
                hint:
                    "No part goes beyond the largest share that was measured of it, or what is kept at least."
            )
        }
        return parts.indices.map {
            Share(id: parts[$0].id, size: problem.sizes[$0], removed: counts[$0][found[$0]])
        }
    }

    // MARK: - Levels

    /// The numbers of things gone that are considered, by part.
    private func counts(_ parts: [Part], sizes: [Int]) -> [[Int]] {
        // Finer than hundredths no curve is known, and with many parts the search takes its time.
        let most = min(100, max(8, 800 / max(parts.count, 1)))
        return zip(parts, sizes).map { counts($0, size: $1, atMost: most) }
    }

    private func counts(_ part: Part, size: Int, atMost most: Int) -> [Int] {
        let limit = min(
            size - request.minimumKept.kept(of: size),
            Int((part.curve.largestShare * Double(size)).rounded()))
        let steps = min(max(limit, 0), most)
        return (0...steps).map { steps == 0 ? 0 : (limit * $0 + steps / 2) / steps }
    }

    // MARK: - Targets

    private struct Problem {
        let sizes: [Int]
        let counts: [[Int]]
        let meters: [Meter]
    }

    private struct Meter {
        /// For errors.
        let target: PruningTarget
        /// By levels.
        let kept: ([Int]) -> Double
        let allowed: Double
        /// What is kept, in the target's own terms.
        let value: (Double) -> Double

        static func maximum(
            _ function: CostFunction, share: Double, dense: Double, kept: @escaping ([Int]) -> Double
        ) -> Meter {
            Meter(
                target: .maximum(function, share: share), kept: kept,
                // Rounding of a sum over nodes must not cost a channel.
                allowed: max(share * dense * (1 + 1e-12), .leastNormalMagnitude),
                value: { dense == 0 ? 0 : $0 / dense })
        }

        /// - Parameters:
        ///   - total: what the share is of, within `whole`, which is what `kept` counts.
        static func sparsity(
            _ share: Double, of total: Double, whole: Double, kept: @escaping ([Int]) -> Double
        ) -> Meter {
            Meter(
                target: .sparsity(share), kept: kept,
                allowed: max(whole - (share - 1e-9) * total, .leastNormalMagnitude),
                value: { total == 0 ? 0 : (whole - $0) / total })
        }
    }

    private func channels(_ parts: [Part]) throws(PruningError) -> Problem {
        var chosen: [PruningGroup] = []
        for part in parts {
            guard let group = groups[part.id] else {
                throw .planEntry(part.id, problem: "this model has no such group of channels")
            }
            chosen.append(group)
        }
        let counts = counts(parts, sizes: chosen.map(\.size))
        var meters: [Meter] = []
        for target in request.targets {
            switch target {
            case .maximum(let function, let share):
                let model = CostModel(function, resolved)
                let table = CostTable(model, groups: chosen, counts: counts, in: resolved)
                meters.append(
                    .maximum(function, share: share, dense: model.denseCost, kept: table.cost(at:)))
            case .sparsity(let share):
                let model = CostModel(.parameters, resolved)
                let table = CostTable(model, groups: chosen, counts: counts, in: resolved)
                let prunable = Set(chosen.flatMap { $0.members.map(\.axis.value) })
                    .filter { resolved.graph.constants[$0]?.dtype.isFloatingPoint == true }
                    .reduce(0) { $0 + (resolved.graph.constants[$1]?.count ?? 0) }
                meters.append(
                    .sparsity(
                        share, of: Double(prunable), whole: model.denseCost, kept: table.cost(at:)))
            case .completion: throw Self.sharesGiven
            }
        }
        return Problem(sizes: chosen.map(\.size), counts: counts, meters: meters)
    }

    private func elements(_ parts: [Part]) throws(PruningError) -> Problem {
        let graph = resolved.graph
        let known = Dictionary(groups.layers.map { ($0.weightName, $0.weight) }) { first, _ in first }
        var weights: [(id: ValueID, size: Int, zeros: Int)] = []
        for part in parts {
            guard let id = known[part.id], let tensor = graph.constants[id] else {
                throw .planEntry(part.id, problem: "this model has no such weight")
            }
            let nonzero = tensor.nonzeroCount
            // As for the planner, a weight that is all zero is not taken for pruned.
            weights.append((id, tensor.count, nonzero == 0 ? 0 : tensor.count - nonzero))
        }
        let taken = Set(weights.map(\.id))
        var others: [ValueID: Int] = [:]
        for id in known.values where !taken.contains(id) {
            guard let tensor = graph.constants[id] else { continue }
            let nonzero = tensor.nonzeroCount
            others[id] = nonzero == 0 ? tensor.count : nonzero
        }
        let total = Double(weights.reduce(0) { $0 + $1.size })
        let counts = counts(parts, sizes: weights.map(\.size))
        var meters: [Meter] = []
        for target in request.targets {
            switch target {
            case .maximum(let function, let share):
                let model = CostModel(function, resolved)
                let table = CostTable(model, weights: weights, counts: counts, others: others)
                meters.append(
                    .maximum(function, share: share, dense: model.denseCost, kept: table.cost(at:)))
            case .sparsity(let share):
                meters.append(
                    .sparsity(share, of: total, whole: total) { levels in
                        weights.indices.reduce(0) { sum, part in
                            let weight = weights[part]
                            return sum + Double(weight.size - max(counts[part][levels[part]], weight.zeros))
                        }
                    })
            case .completion: throw Self.sharesGiven
            }
        }
        return Problem(sizes: weights.map(\.size), counts: counts, meters: meters)
    }

    private static let sharesGiven = PruningError.invalidTarget(
        "a share of each layer leaves nothing to allocate")
}
