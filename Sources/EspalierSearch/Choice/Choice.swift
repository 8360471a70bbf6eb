import Foundation

/// What choosing a point under conditions comes to.
package enum Choice: Sendable, Equatable {
    case point(Int)
    case none(NearestMiss)
}

/// Why no point satisfies all conditions, and which one comes nearest.
package struct NearestMiss: Sendable, Equatable, CustomStringConvertible {
    /// A condition that the point fails.
    package struct Failure: Sendable, Equatable {
        package let condition: Condition
        package let value: Double

        /// The value with four digits, rounded up so that it still fails.
        var text: String {
            let unit = condition.objective.unit
            guard value != 0, value.isFinite else { return unit.text(value) }
            let scale = pow(10, 3 - log10(abs(value)).rounded(.down))
            return unit.text((value * scale - 1e-9).rounded(.up) / scale)
        }
    }

    package let point: Int
    package let failures: [Failure]
    /// Conditions that no point satisfies, whatever the others ask, with the least value there is.
    package let unattained: [Failure]

    package var description: String { text { "point \($0)" } }

    /// In words.
    ///
    /// - Parameter name: what a point is called.
    package func text(_ name: (Int) -> String) -> String {
        let alone = unattained.map { "no point satisfies \($0.condition): the least is \($0.text)" }
        let together =
            alone.isEmpty ? ["no point satisfies all conditions, though each is satisfied by some"] : alone
        let misses = failures.map {
            "\($0.condition.objective.name) \($0.text) where \($0.condition) is asked"
        }
        return (together + ["the nearest is \(name(point)), with \(misses.joined(separator: " and "))"])
            .joined(separator: "; ")
    }
}

extension CandidateSet {
    /// The best point that satisfies all conditions.
    ///
    /// Best is the least of the one objective that has no condition. Of several, each is measured from its best to its worst
    /// value over the undominated of the satisfying points, and the point whose worst such share is least is the best: unlike
    /// a weighted sum, this may be a point of a concave front. Where all objectives have conditions, all are compared so.
    /// Ties go to the smaller sum of shares, first over those objectives and then over all, then to the first point. The chosen
    /// point is never dominated by a satisfying one, and is the same in all units.
    ///
    /// Nearest, where none satisfies all, is the point whose greatest excess is least, measured for each condition by how far
    /// the points' values and the bound are spread.
    ///
    /// - Parameter objectives: what the points' values are, in their order.
    /// - Throws: ``SearchError/notMeasured(_:measured:)`` for a condition on none of `objectives`,
    ///   ``SearchError/outOfRange(_:value:allowed:)`` if those are not as many as the points have.
    package func choice(
        objectives: [Objective], conditions: [Condition]
    ) throws(SearchError) -> Choice {
        guard objectives.count == dimension else {
            throw .outOfRange(
                "the number of named objectives", value: "\(objectives.count)",
                allowed: "\(dimension), as the points have")
        }
        var limits: [(condition: Condition, objective: Int)] = []
        for condition in conditions {
            guard let position = objectives.firstIndex(of: condition.objective) else {
                throw .notMeasured(condition.objective.name, measured: objectives.map(\.name))
            }
            limits.append((condition, position))
        }
        let satisfying = (0..<count).filter { point in
            limits.allSatisfy { $0.condition.isMet(by: self[point, $0.objective]) }
        }
        let front = satisfying.filter { point in !satisfying.contains { dominates($0, point) } }
        let remaining = Set(0..<dimension).subtracting(limits.map(\.objective)).sorted()
        return best(of: front, by: remaining.isEmpty ? Array(0..<dimension) : remaining)
            .map(Choice.point) ?? .none(nearestMiss(limits))
    }

    private func best(of points: [Int], by objectives: [Int]) -> Int? {
        let spreads = (0..<dimension).map { objective in
            Spread(points.map { self[$0, objective] })
        }
        func key(_ point: Int) -> (Double, Double, Double) {
            let shares = (0..<dimension).map { spreads[$0].share(self[point, $0]) }
            let compared = objectives.map { shares[$0] }
            return (compared.max() ?? 0, compared.reduce(0, +), shares.reduce(0, +))
        }
        return points.map { (point: $0, key: key($0)) }.min { $0.key < $1.key }?.point
    }

    private func nearestMiss(_ limits: [(condition: Condition, objective: Int)]) -> NearestMiss {
        let spreads = limits.map { limit in
            Spread((0..<count).map { self[$0, limit.objective] } + [limit.condition.bound])
        }
        func excess(_ point: Int) -> Double {
            zip(limits, spreads).map { limit, spread in
                spread.share(self[point, limit.objective]) - spread.share(limit.condition.bound)
            }.max() ?? 0
        }
        let nearest =
            (0..<count).map { (point: $0, excess: excess($0)) }
            .min { $0.excess < $1.excess }?.point ?? 0
        var (failures, unattained): ([NearestMiss.Failure], [NearestMiss.Failure]) = ([], [])
        for limit in limits {
            let value = self[nearest, limit.objective]
            if !limit.condition.isMet(by: value) {
                failures.append(.init(condition: limit.condition, value: value))
            }
            let least = (0..<count).map { self[$0, limit.objective] }.min() ?? .infinity
            if least > limit.condition.bound {
                unattained.append(.init(condition: limit.condition, value: least))
            }
        }
        return NearestMiss(point: nearest, failures: failures, unattained: unattained)
    }
}

/// From the least to the greatest finite one of some values.
private struct Spread {
    private let least: Double
    private let extent: Double

    init(_ values: [Double]) {
        let finite = values.filter(\.isFinite)
        least = finite.min() ?? 0
        extent = (finite.max() ?? 0) - least
    }

    /// 0 for the least, 1 for the greatest, infinity for infinity.
    func share(_ value: Double) -> Double {
        value.isFinite ? (extent > 0 ? (value - least) / extent : 0) : value
    }
}
