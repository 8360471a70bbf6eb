/// The price lambda of a cost, which is raised while the cost is above its budget and lowered while it is below: the dual
/// variable of "minimise the risk such that C <= B".
///
/// lambda <- max(0, lambda + mu (C - B) / C_dense), with C the true cost after groups that are zero are gone.
///
/// There are two ways to use it. With ``value`` as the price while the network trains, and ``update(cost:)`` now and then, it
/// is dual ascent: enough where the front of risk against cost is convex. On a concave front no price has its minimum in the
/// interior, as with any weighted sum, and dual ascent swings between the ends. There the price must depend on the cost at
/// once: ``next(cost:)`` as the price makes it the method of multipliers (Hestenes 1969; Powell 1969; Rockafellar 1973), whose
/// ``augmentedPenalty(cost:)`` bends the front upwards by `rate`. Minimised exactly before each update, it settles where
/// `rate` is more than twice the second derivative, in magnitude, of the front's risk as a function of C / C_dense.
package struct BudgetMultiplier: Sendable, Equatable {
    /// lambda, per C / C_dense.
    package private(set) var value: Double
    /// B, in the cost's unit.
    package let budget: Double
    /// C_dense, that of the network as it was.
    package let denseCost: Double
    /// mu.
    package let rate: Double

    /// - Throws: ``SearchError/outOfRange(_:value:allowed:)`` unless all are finite, `denseCost` and `rate` positive, and the
    ///   others not negative.
    package init(
        budget: Double, denseCost: Double, rate: Double, initialValue: Double = 0
    ) throws(SearchError) {
        for (name, number) in [("the budget", budget), ("the multiplier", initialValue)] {
            guard number >= 0, number.isFinite else {
                throw .outOfRange(name, value: "\(number)", allowed: "finite and not negative")
            }
        }
        for (name, number) in [("the dense cost", denseCost), ("the multiplier's rate", rate)] {
            guard number > 0, number.isFinite else {
                throw .outOfRange(name, value: "\(number)", allowed: "finite and positive")
            }
        }
        value = initialValue
        self.budget = budget
        self.denseCost = denseCost
        self.rate = rate
    }

    /// What ``value`` would be after an update with `cost`. NaN for a cost that is NaN.
    package func next(cost: Double) -> Double {
        let next = value + rate * (cost - budget) / denseCost
        return next < 0 ? 0 : next
    }

    package mutating func update(cost: Double) {
        value = next(cost: cost)
    }

    /// What the method of multipliers adds to the risk: (next^2 - lambda^2) / (2 mu). Its derivative with respect to
    /// C / C_dense is ``next(cost:)``.
    package func augmentedPenalty(cost: Double) -> Double {
        let next = next(cost: cost)
        return (next * next - value * value) / (2 * rate)
    }
}
