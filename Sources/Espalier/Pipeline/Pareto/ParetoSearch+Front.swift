package import EspalierRuns
package import EspalierSearch

/// What became of a search.
package struct ParetoFront {
    package var front: [RunRecord.FrontPoint]
    package var dominated: [RunRecord.FrontPoint]
    package var hypervolume: Double
    package var trade: RunRecord.Front
    package var chosen: RunRecord.FrontPoint?
    /// Why no point was chosen.
    package var miss: String?
    /// Of the methods all of whose networks were found.
    package var volumes: TradeOff.Volumes
}

extension ParetoSearch {
    /// The points of finished trials: first the networks as they are.
    package func points(_ records: [String: RunRecord]) -> [RunRecord.FrontPoint] {
        let dense = Set(seeds.map(denseKey)).sorted().compactMap { records[$0]?.front?.first }
        return dense + candidates.compactMap { records[$0.key]?.front?.first }
    }

    /// - Parameters:
    ///   - records: results of trials, by key.
    ///   - measured: of costs that trials do not know, the values by key.
    ///   - conditions: under which a point is chosen; nil for none.
    package func front(
        _ records: [String: RunRecord], measured: [Objective: [String: Double]] = [:],
        choosing conditions: [Condition]?
    ) throws(SearchError) -> ParetoFront {
        let wanted = Set(([.accuracyDrop] + costs).map(\.name))
        let points = points(records).map { point in
            var point = point
            point.values = point.values.filter { wanted.contains($0.key) }
            for (objective, values) in measured { point.values[objective.name] = values[point.key] }
            point.cost = costs.first.flatMap { point.values[$0.name] } ?? point.cost
            return point
        }
        let dense = costs.map { cost in
            points.filter { $0.method == "dense" }.compactMap { $0.values[cost.name] }.max() ?? 1
        }
        let trade = try TradeOff(points, costs: costs, dense: dense)
        var result = ParetoFront(
            front: trade.fronts.front, dominated: trade.fronts.dominated,
            hypervolume: try trade.hypervolume(),
            trade: RunRecord.Front(
                objectives: zip(trade.objectives, [0] + dense).map {
                    .init(name: $0.name, unit: $0.unit.symbol, dense: $1)
                }, reference: trade.reference, knee: trade.knee?.key), volumes: [])
        if let conditions {
            (result.chosen, result.miss) = try trade.choice(conditions)
            result.trade.conditions = conditions.map { "\($0)" }.joined(separator: ", ")
        }
        for method in methods {
            let keys = candidates.filter { $0.method == method }.map(\.key)
            let found = keys.compactMap { records[$0] }
            guard found.count == keys.count else { continue }
            let own = try TradeOff(
                points.filter { $0.method == method.rawValue }, costs: costs, dense: dense)
            result.volumes.append(
                (method.rawValue, try own.testedVolumes(drops: TradeOff.testedDrops(found))))
        }
        return result
    }
}
