/// Tells which functional groups of a layer are lost when units go. Counting those without any unit left would only
/// simulate q^m again; what counts is what the surviving units still tell.
package struct LostGroups: Sendable {
    private let groups: [FunctionalGroups.Group]
    private let fit: StreamingCovariance
    private let heldOut: StreamingCovariance
    private let tau: Double

    package init(
        _ functional: FunctionalGroups, fit: StreamingCovariance, heldOut: StreamingCovariance, tau: Double
    ) {
        groups = functional.varying
        self.fit = fit
        self.heldOut = heldOut
        self.tau = tau
    }

    /// What the removal of some units does to the groups that vary.
    package struct Damage: Sendable, Equatable {
        /// Groups all of whose units are gone.
        package var emptied = 0
        /// Groups that are functionally lost: their mean activation, each unit with its sign, can't be told linearly from
        /// the layer's surviving units, R^2 on held-out data being below tau^2.
        package var lost = 0
    }

    /// - Parameter removed: for each unit of the layer whether it is removed.
    package func damage(removing removed: [Bool]) -> Damage {
        var damage = Damage()
        let survivors = removed.indices.filter { !removed[$0] }
        let prediction = LinearPrediction(fit, from: survivors)
        for group in groups {
            let gone = group.units.count { removed[$0] }
            if gone == group.size { damage.emptied += 1 }
            // With all units there the mean is one of what can be told.
            guard gone > 0 else { continue }
            let weights = group.signs.map { $0 / Double(group.size) }
            let target = LinearPrediction.Target(variables: group.units, weights: weights)
            if prediction.determination(of: target, on: heldOut) < tau * tau { damage.lost += 1 }
        }
        return damage
    }
}
