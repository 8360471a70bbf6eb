package import EspalierPruning
package import EspalierTensors

/// One random removal of units over the whole network.
package struct RemovalTrial: Sendable {
    /// The units that are gone, by group of channels.
    package let dropped: [(group: PruningGroup, units: [Int])]
    package let removedUnits: Int
    /// Over all layers.
    package let emptied: Int
    package let lost: Int

    /// Removes each unit with probability `rate`.
    package init(_ layers: [RedundantLayer], rate: Double, random: inout RandomSource) {
        var dropped: [(group: PruningGroup, units: [Int])] = []
        var (emptied, lost) = (0, 0)
        for layer in layers {
            let removed = (0..<layer.group.size).map { _ in random.uniform() < rate }
            let damage = layer.lost.damage(removing: removed)
            emptied += damage.emptied
            lost += damage.lost
            dropped.append((layer.group, removed.indices.filter { removed[$0] }))
        }
        self.dropped = dropped
        self.emptied = emptied
        self.lost = lost
        removedUnits = dropped.reduce(0) { $0 + $1.units.count }
    }
}
