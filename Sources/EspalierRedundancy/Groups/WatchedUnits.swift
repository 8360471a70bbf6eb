package import EspalierGraphs
package import EspalierOperators
package import EspalierPruning
package import EspalierTensors

/// Where the units of each group of channels are watched: at the first node that reads them and passes none of them on, so
/// that what counts is what others learn of them, whatever lies between.
package struct WatchedUnits: Sendable {
    /// A group of channels, the layers of plain networks, and where its units are seen.
    package struct Layer: Sendable {
        package let group: PruningGroup
        package let member: GroupMember
        /// Of the value for one sample.
        package let sampleShape: Shape

        package var value: ValueID { member.axis.value }

        /// - Parameters:
        ///   - resolved: for one sample.
        ///   - doubled: the same network for two, if it takes as many: samples must lie one after the other.
        /// - Returns: nil if the units cannot be watched there.
        init?(
            _ group: PruningGroup, at member: GroupMember, in resolved: ResolvedGraph, doubled: ResolvedGraph?
        ) {
            guard let facts = resolved.facts[member.axis.value], facts.dtype == .float32,
                member.axis.axis > 0,
                group.size > 0, member.indexCount(ofUnit: 0) > 0,
                (0..<group.size).allSatisfy({ member.indexCount(ofUnit: $0) == member.indexCount(ofUnit: 0) })
            else { return nil }
            if let other = doubled?.facts[member.axis.value]?.shape {
                var expected = facts.shape
                expected[0] *= 2
                guard other == expected else { return nil }
            }
            self.group = group
            self.member = member
            sampleShape = facts.shape
        }
    }

    package private(set) var layers: [Layer] = []
    /// Groups that cannot be watched, by name, and why.
    package private(set) var refusals: [(name: String, reason: String)] = []

    /// - Parameters:
    ///   - resolved: for one sample.
    ///   - doubled: the same network for two, if it takes as many: samples must lie one after the other.
    package init(_ resolved: ResolvedGraph, doubled: ResolvedGraph?, groups: PruningGroups) {
        let endings = ActivationSites(resolved, groups).endingPorts
        for group in groups.all {
            if let frozen = group.frozen {
                refusals.append((group.id, frozen.message))
                continue
            }
            let places = endings.lazy.compactMap { ending in
                group.activations.first { $0.axis == ending.axis }
                    .flatMap { Layer(group, at: $0, in: resolved, doubled: doubled) }
            }
            if let layer = places.first {
                layers.append(layer)
            } else {
                refusals.append((group.id, "its channels could not be watched where they end"))
            }
        }
    }
}
