package import EspalierRuns
package import EspalierSearch

/// Networks set against one another: accuracy lost on the validation data, and one or two costs.
package struct TradeOff {
    package let objectives: [Objective]
    /// What hypervolumes are measured against.
    package let reference: [Double]
    package let points: [RunRecord.FrontPoint]
    private let set: CandidateSet

    /// The accuracy drop beyond which a network counts for nothing.
    package static let referenceDrop = 0.1

    /// - Parameters:
    ///   - costs: objectives besides the accuracy drop.
    ///   - dense: the costs of the network as it was.
    /// - Throws: ``SearchError`` for no points, and for costs that are not comparable.
    package init(
        _ points: [RunRecord.FrontPoint], costs: [Objective], dense: [Double]
    ) throws(SearchError) {
        objectives = [.accuracyDrop] + costs
        reference = [Self.referenceDrop] + dense
        self.points = points
        set = try CandidateSet(
            points.map { point throws(SearchError) in
                try Objectives(Self.values(of: point, [.accuracyDrop] + costs))
            })
    }

    private static func values(of point: RunRecord.FrontPoint, _ objectives: [Objective]) -> [Double] {
        objectives.map { point.values[$0.name] ?? .infinity }
    }

    /// By ascending cost: the points that no other is better than, and the others.
    package var fronts: (front: [RunRecord.FrontPoint], dominated: [RunRecord.FrontPoint]) {
        let undominated = Set(set.undominated())
        let order = points.indices.sorted {
            (points[$0].cost, points[$0].error) < (points[$1].cost, points[$1].error)
        }
        return (
            order.filter(undominated.contains).map { points[$0] },
            order.filter { !undominated.contains($0) }.map { points[$0] }
        )
    }

    /// As a share of the box between the reference and the origin: no accuracy lost at no cost. Networks that are more accurate
    /// than the dense one add to it.
    ///
    /// - Throws: ``SearchError`` for a reference that is not finite.
    package func hypervolume() throws(SearchError) -> Double {
        try set.hypervolume(reference: Objectives(reference)) / reference.reduce(1, *)
    }

    /// Of two objectives.
    package var knee: RunRecord.FrontPoint? {
        guard objectives.count == 2, let knee = try? set.knee() else { return nil }
        return points[knee]
    }

    /// - Returns: the best point under conditions, or why there is none.
    /// - Throws: ``SearchError/notMeasured(_:measured:)``.
    package func choice(
        _ conditions: [Condition]
    ) throws(SearchError) -> (point: RunRecord.FrontPoint?, miss: String?) {
        switch try set.choice(objectives: objectives, conditions: conditions) {
        case .point(let place): (points[place], nil)
        case .none(let miss): (nil, miss.text { points[$0].name })
        }
    }

    /// The hypervolume, for each seed, of the front that the validation data give, measured on the test data: what was chosen
    /// by luck shows there.
    ///
    /// - Parameter drops: accuracy lost on the test data, by the points' keys.
    /// - Throws: as ``hypervolume()``.
    package func testedVolumes(drops: [String: Double]) throws(SearchError) -> [UInt64: Double] {
        var volumes: [UInt64: Double] = [:]
        for seed in Set(points.map(\.seed)).sorted() {
            let own = try TradeOff(points.filter { $0.seed == seed }, costs: costs, dense: denseCosts)
            let tested = own.fronts.front.map { point in
                var point = point
                point.values[Objective.accuracyDrop.name] = drops[point.key] ?? .infinity
                return point
            }
            volumes[seed] = try TradeOff(tested, costs: costs, dense: denseCosts).hypervolume()
        }
        return volumes
    }

    private var costs: [Objective] { Array(objectives.dropFirst()) }
    private var denseCosts: [Double] { Array(reference.dropFirst()) }
}

extension TradeOff {
    /// Volumes of several groups of points, the first of which the others are compared with.
    package typealias Volumes = [(name: String, bySeed: [UInt64: Double])]

    /// The trade-off that runs of `pareto` in a store make, in what was charged for; nil if they are others.
    package static func stored(_ records: [RunRecord]) throws(SearchError) -> TradeOff? {
        let points = records.compactMap { $0.front?.count == 1 ? $0.front?.first : nil }
        guard !points.isEmpty, points.count == records.count, let trade = records.first?.trade else {
            return nil
        }
        let names = trade.objectives.map(\.name)
        let costs = Objective.known.filter { $0 != .accuracyDrop && names.contains($0.name) }
        return try TradeOff(points, costs: costs, dense: costs.map { _ in 1 })
    }

    /// Accuracy lost on the test data, by the points' keys.
    package static func testedDrops(_ records: [RunRecord]) -> [String: Double] {
        var drops: [String: Double] = [:]
        for record in records {
            guard let point = record.front?.first, let accuracy = point.accuracy else { continue }
            // The network as it was has nothing to be compared with.
            drops[point.key] = (record.before?.accuracy ?? accuracy) - accuracy
        }
        return drops
    }
}
