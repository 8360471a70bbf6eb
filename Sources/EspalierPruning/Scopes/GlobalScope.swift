/// The least important of all layers together.
package struct GlobalScope: Scope {
    package static let information = ScopeInformation(
        id: "global", explanation: "removes the least important anywhere, so layers lose unequal shares",
        source: "Han et al. 2015")

    package init() {}

    package func key(removed: Double, score: Double, in layer: ScopedLayer) -> Double { score }
}
