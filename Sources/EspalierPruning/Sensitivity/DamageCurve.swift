/// What it is taken to cost a network to lose a share of one part: from how the loss rose when only that part was
/// pruned.
package struct DamageCurve: Sendable {
    private let shares: [Double]
    private let damages: [Double]

    /// - Parameter points: shares of the part that were removed, 0 to 1, with the increase of the loss that each was measured
    ///   to bring, in any order. That nothing removed does nothing need not be said.
    package init(_ points: [(share: Double, increase: Double)]) {
        var shares = [0.0]
        var damages = [0.0]
        var worst = 0.0
        for point in points.sorted(by: { $0.share < $1.share }) where point.share > 0 {
            // A measured loss has noise, but less cannot be better than more: what seems to gain does no harm.
            worst = max(worst, point.increase.isFinite ? point.increase : Self.unbounded)
            if point.share == shares.last {
                damages[damages.count - 1] = worst
            } else {
                shares.append(point.share)
                damages.append(worst)
            }
        }
        self.shares = shares
        self.damages = damages
    }

    /// For a loss that is no number or infinite.
    private static let unbounded = 1e12

    /// The largest share that was measured: beyond it nothing is known.
    package var largestShare: Double { shares[shares.count - 1] }

    /// The damage of removing `share`, linear between the shares that were measured.
    package func damage(at share: Double) -> Double {
        guard let next = shares.firstIndex(where: { $0 >= share }) else { return damages[damages.count - 1] }
        guard next > 0 else { return 0 }
        let position = (share - shares[next - 1]) / (shares[next] - shares[next - 1])
        return damages[next - 1] + position * (damages[next] - damages[next - 1])
    }
}
