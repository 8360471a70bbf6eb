/// The same share of every layer.
package struct UniformScope: Scope {
    package static let information = ScopeInformation(
        id: "uniform", explanation: "removes the same share of every layer", source: "baseline")

    package init() {}

    package func key(rank: Int, score: Double, in layer: ScopedLayer) -> Double {
        // Removal number r is due when the layer's share passes the middle of its step: counts are rounded to
        // nearest.
        (Double(rank) + 0.5) / Double(layer.size)
    }
}
