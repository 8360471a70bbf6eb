package import EspalierGraphs
package import EspalierPruning
import EspalierTensors

/// Masks that keep as much as a ticket's, and not the same: what a ticket owes to its choice of connections shows in their
/// difference.
package enum MaskControls {
    /// As many elements of each weight, anywhere in it. (A mask shuffled over a whole weight has this distribution, too.)
    package static func random(_ masks: MaskSet, of graph: Graph, seed: UInt64) -> MaskSet {
        let source = RandomSource(seed: seed).split("random mask")
        return MaskSet(
            Dictionary(
                uniqueKeysWithValues: masks.masks.map { id, mask in
                    var random = source.split(graph.name(of: id))
                    var kept = mask.kept
                    random.shuffle(&kept)
                    return (id, Mask(shape: mask.shape, kept: kept))
                }))
    }

    /// As many inputs of each output unit, any of them: how connections are spread over units stays, which they are does not.
    ///
    /// A weight of which it is not known where its output units lie is shuffled as a whole.
    package static func shuffledWithinUnits(
        _ masks: MaskSet, of groups: PruningGroups, in graph: Graph, seed: UInt64
    ) -> MaskSet {
        let source = RandomSource(seed: seed).split("shuffled mask")
        let axes = Dictionary(
            groups.layers.map { ($0.weight, $0.producerAxis) }, uniquingKeysWith: { a, _ in a })
        return MaskSet(
            Dictionary(
                uniqueKeysWithValues: masks.masks.map { id, mask in
                    var random = source.split(graph.name(of: id))
                    var kept = mask.kept
                    for unit in units(of: mask.shape, axis: axes[id] ?? nil) {
                        var flags = unit.map { mask.kept[$0] }
                        random.shuffle(&flags)
                        for (position, flag) in zip(unit, flags) { kept[position] = flag }
                    }
                    return (id, Mask(shape: mask.shape, kept: kept))
                }))
    }

    /// The positions of each output unit's elements.
    private static func units(of shape: Shape, axis: Int?) -> [[Int]] {
        guard let axis else { return [Array(0..<shape.count)] }
        let inner = shape.count((axis + 1)..<shape.rank)
        var units = [[Int]](repeating: [], count: shape[axis])
        for position in 0..<shape.count { units[position / inner % shape[axis]].append(position) }
        return units
    }
}
