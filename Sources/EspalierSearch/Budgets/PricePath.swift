import Foundation

/// What decides on the price of a cost in training.
package enum PenaltyPrice: Sendable, Equatable {
    /// Given: the loss, in nats, that the whole cost of the dense network is worth.
    case fixed(Double)
    /// Whatever brings the cost below these shares of the dense network's.
    case budgets([Double])
}

/// The price lambda in the course of training.
///
/// Under a budget it is a dual variable in mirror ascent: it grows by a factor while the true cost is above its path to the
/// budget, and shrinks while it is below, so that it finds its order of magnitude by itself (Beck & Teboulle 2003, with the
/// entropy as the distance). What is charged only while the cost is above the path cannot overshoot it. The path falls like the
/// cubic schedule of Zhu & Gupta (2017): fast while there is much to lose.
package struct PricePath: Sendable, Equatable {
    package let price: PenaltyPrice
    /// lambda.
    package private(set) var lambda: Double
    /// Whether something is above its path, so that units and elements may be charged.
    package private(set) var isCharging = true

    /// The share of training after which budgets are to be met.
    package static let end = 0.85
    /// The share of training in which lambda doubles while the cost is far above its path.
    private let doubling: Double
    /// The distance from the path that counts as far.
    private static let far = 0.03
    private static let initial = 1e-3

    /// - Parameter doubling: the share of training in which lambda doubles while the cost is far above its path. The longer what is
    ///   charged takes to follow, the longer this must be.
    package init(_ price: PenaltyPrice, doubling: Double = 0.015) {
        self.price = price
        self.doubling = doubling
        lambda = if case .fixed(let value) = price { value } else { Self.initial }
    }

    /// Whether costs are where they are to be at this point of training.
    ///
    /// - Parameters:
    ///   - costs: what is left of each, as a share, in the budgets' order.
    ///   - progress: the share of training that is over.
    package func isMet(_ costs: [Double], progress: Double) -> Bool {
        excess(costs, progress: progress) <= 0
    }

    /// After a step of training.
    ///
    /// - Parameter stepShare: of all steps.
    package mutating func advance(_ costs: [Double], progress: Double, stepShare: Double) {
        guard case .budgets = price else { return }
        let excess = excess(costs, progress: progress)
        isCharging = excess > 0
        let push = isCharging ? min(1, excess / Self.far) : -1
        lambda *= exp2(push * stepShare / doubling)
    }

    /// As checkpoints keep it.
    package mutating func restore(lambda: Double, isCharging: Bool) {
        self.lambda = lambda
        self.isCharging = isCharging
    }

    /// How far the cost that is farthest above its path is.
    private func excess(_ costs: [Double], progress: Double) -> Double {
        guard case .budgets(let budgets) = price else { return .infinity }
        let rest = 1 - min(1, progress / Self.end)
        return zip(costs, budgets).map { $0 - ($1 + (1 - $1) * rest * rest * rest) }.max() ?? 0
    }
}
