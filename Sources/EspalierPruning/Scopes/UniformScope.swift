/// The same share of every layer.
package struct UniformScope: Scope {
    package static let information = ScopeInformation(
        id: "uniform", explanation: "removes the same share of every layer", source: "baseline")

    package init() {}

    package func key(removed: Double, score: Double, in layer: ScopedLayer) -> Double {
        // A removal is due when the layer's share passes its middle: counts are rounded to nearest.
        removed / Double(layer.size)
    }
}
