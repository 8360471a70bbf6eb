package import EspalierPruning

/// A layer of a network with its functional groups.
package struct RedundantLayer: Sendable {
    package let group: PruningGroup
    package let functional: FunctionalGroups
    package let lost: LostGroups

    /// - Parameters:
    ///   - fit: of all the layer's units, on the data that groups are found on.
    ///   - heldOut: the same on other data.
    /// - Throws: ``RedundancyError/outOfRange(_:value:allowed:)`` for a threshold outside 0...1.
    package init(
        _ group: PruningGroup, fit: StreamingCovariance, heldOut: StreamingCovariance, tau: Double
    ) throws(RedundancyError) {
        self.group = group
        functional = try FunctionalGroups(fit, tau: tau)
        lost = LostGroups(functional, fit: fit, heldOut: heldOut, tau: tau)
    }
}
