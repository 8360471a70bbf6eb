import EspalierGraphs
import EspalierOperators

/// Shares as a ``LayerAllocation`` gives them: with s the share of a layer, (1 - s)^t of it is left, for one t of all layers.
/// At t = 1 each has lost its share, rounded to nearest; a target is met by another t.
package struct AllocationScope: Scope {
    package static let information = ScopeInformation(
        id: "allocation",
        explanation: "removes of each layer the share that a file gives it, or in proportion",
        source: "a file")

    package let allocation: LayerAllocation
    /// By the names that planners use: of weights, or of groups of channels.
    private var shares: [String: Double] = [:]

    package init(_ allocation: LayerAllocation) {
        self.allocation = allocation
    }

    package func key(removed: Double, score: Double, in layer: ScopedLayer) -> Double {
        Self.key(removed: removed, of: layer, share: shares[layer.name] ?? 0)
    }

    /// The t for which (1 - s)^t is what is left when half of the removal is done.
    static func key(removed: Double, of layer: ScopedLayer, share: Double) -> Double {
        guard share > 0 else { return .infinity }
        return Double.log(1 - removed / Double(layer.size)) / Double.log(1 - share)
    }

    package var identity: String {
        let shares = allocation.layers.map { "\($0.name) \($0.sparsity)" }.joined(separator: ", ")
        return "\(information.id) (\(shares))"
    }

    package func exclusion(of name: String) -> String? {
        guard let share = shares[name] else { return "the allocation does not list it" }
        return share > 0 ? nil : "the allocation leaves it whole"
    }

    /// - Throws: ``PruningError/allocationGranularity(_:asked:)``; ``PruningError/allocationEntry(_:problem:)`` for a name
    ///   that fits nothing, or several layers, and for layers of one weight or group that are given different shares.
    package func fitted(
        to groups: PruningGroups, granularity: Granularity
    ) throws(PruningError) -> any Scope {
        guard allocation.granularity == granularity else {
            throw .allocationGranularity(allocation.granularity, asked: granularity)
        }
        var entries: [String: LayerAllocation.Layer] = [:]
        for layer in allocation.layers {
            for name in try Self.subjects(of: layer.name, in: groups, granularity) {
                if let other = entries[name], other.sparsity != layer.sparsity {
                    throw .allocationEntry(
                        layer.name,
                        problem:
                            "it shares '\(name)' with '\(other.name)', which is given \(other.sparsity), "
                            + "not \(layer.sparsity): what is coupled is removed together")
                }
                entries[name] = layer
            }
        }
        var scope = self
        scope.shares = entries.mapValues(\.sparsity)
        return scope
    }

    /// The weights, or groups of channels, that an entry's name means.
    private static func subjects(
        of name: String, in groups: PruningGroups, _ granularity: Granularity
    ) throws(PruningError) -> [String] {
        if granularity == .channel, groups[name] != nil { return [name] }
        let layers = groups.layers.filter { $0.name == name || $0.weightName == name }
        guard let layer = layers.first else {
            throw .allocationEntry(
                name,
                problem: "no layer is called so; layers are called: "
                    + PruningError.listing(groups.layers.map(\.name)))
        }
        guard layers.allSatisfy({ $0.weight == layer.weight }) else {
            throw .allocationEntry(
                name,
                problem: "several layers are called so; give their weights: "
                    + PruningError.listing(layers.map(\.weightName)))
        }
        guard granularity == .channel else { return [layer.weightName] }
        let axes = layers.compactMap { layer in layer.producerAxis.map { ValueAxis(layer.weight, axis: $0) } }
        let found = axes.flatMap { groups.groups(on: $0).map(\.id) }
        guard !found.isEmpty else {
            throw .allocationEntry(name, problem: "it is not known where its output channels lie")
        }
        return found
    }
}
