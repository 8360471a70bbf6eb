package import EspalierOperators
package import EspalierPruning

/// What reads the units of all watched layers, and from there to what is merged.
package struct MergeReadings: Sendable {
    private let pruner: Pruner
    private let layers: [WatchedUnits.Layer]
    /// By layer; a layer of which something cannot be told to read other units is refused.
    private var readings: [Result<UnitReadings, RedundancyError>] = []

    /// - Parameters:
    ///   - watched: of `pruner`'s network.
    ///   - doubled: the network for two samples, if it takes as many.
    package init(_ watched: WatchedUnits, in pruner: Pruner, doubled: ResolvedGraph?) {
        self.pruner = pruner
        layers = watched.layers
        let endings = ActivationSites(pruner.resolved, pruner.groups).endingPorts
        readings = watched.layers.map { layer in
            Result { () throws(RedundancyError) in
                try UnitReadings(of: layer, in: pruner, doubled: doubled, endings: endings)
            }
        }
    }

    /// Places to be measured besides those at which layers are watched: of all layers, in their order.
    package var further: [WatchedUnits.Layer] {
        readings.flatMap { (try? $0.get())?.places.dropFirst().map(\.watched) ?? [] }
    }

    /// Decides what is merged.
    ///
    /// - Parameters:
    ///   - functional: the groups of each watched layer.
    ///   - observations: at the layers' own places, then at the ``further`` ones.
    /// - Throws: ``RedundancyError/unsuitable(_:)`` with all reasons if there is nothing to merge.
    package func merging(
        _ functional: [FunctionalGroups], observations: [StreamingCovariance], tau: Double
    ) throws(RedundancyError) -> UnitMerging {
        var next = layers.count
        var merges: [LayerMerge] = []
        for (number, layer) in layers.enumerated() {
            switch readings[number] {
            case .failure(let error):
                merges.append(
                    LayerMerge(
                        refusing: layer.group, functional: functional[number], reason: error.description))
            case .success(let found):
                let end = next + found.places.count - 1
                merges.append(
                    LayerMerge(
                        layer.group, functional: functional[number], readings: found,
                        observations: [observations[number]] + observations[next..<end], tau: tau))
                next = end
            }
        }
        let merging = UnitMerging(pruner, layers: merges)
        guard merging.count > 0 else {
            let reasons = merges.compactMap { layer in layer.refusal.map { "; \(layer.group.id): \($0)" } }
            throw .unsuitable(
                "nothing to merge: "
                    + (reasons.isEmpty
                        ? "at tau \(tau) no unit is redundant; a lower --tau finds more"
                        : "no redundant unit can go" + reasons.joined()))
        }
        return merging
    }
}
