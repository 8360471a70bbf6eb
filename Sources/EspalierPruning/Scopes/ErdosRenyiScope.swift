import EspalierTensors

/// Densities as of Erdos-Renyi graphs, with the kernel: proportional to (n_in + n_out + k_h + k_w) / (n_in
/// n_out k_h k_w), at most 1. Wide layers become sparser than narrow ones.
package struct ErdosRenyiScope: Scope {
    package static let information = ScopeInformation(
        id: "erk", explanation: "keeps more of narrow layers: density by the sum over the product of extents",
        source: "Mocanu et al. 2018; Evci et al. 2020")

    package init() {}

    package func key(removed: Double, score: Double, in layer: ScopedLayer) -> Double {
        let extents = layer.shape.extents.map(Double.init)
        let product = extents.reduce(1, *)
        guard product > 0 else { return 0 }
        // As the common factor falls, density = min(1, factor * proportion) passes the middle of this
        // removal's step at factor = remaining / proportion; the cap at 1 needs no separate rounds.
        let proportion = extents.reduce(0, +) / product
        let remaining = 1 - removed / Double(layer.size)
        return -remaining / proportion
    }
}
