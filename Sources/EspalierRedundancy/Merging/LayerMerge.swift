import EspalierGraphs
package import EspalierPruning

/// Which units of a layer are merged into which, and how each layer that reads them makes up for it.
///
/// Of each functional group the unit that tells the others best stays, for which the mean R^2 is highest. Every other
/// unit j of the group is replaced, for each of its readers, by slope * representative + intercept as fitted to what that
/// reader gets. Constant units leave their constant.
package struct LayerMerge: Sendable {
    /// A unit that goes.
    package struct Merge: Sendable {
        package let unit: Int
        /// The unit that stands for it; nil for a constant, which needs none.
        package let representative: Int?
        package let changes: [Change]
    }

    /// What one reader needs so as to do without a unit.
    package struct Change: Sendable {
        package let reader: LinearReader
        package let fit: UnitFit
        /// What the intercept adds to the reader's output; nil for nothing.
        package let shift: ConstantFolding.Shift?
    }

    package let group: PruningGroup
    /// Ascending by unit.
    package private(set) var merged: [Merge] = []
    /// Redundant units that stay all the same, ascending, and why.
    package private(set) var stayed: [(unit: Int, reason: String)] = []

    /// - Parameters:
    ///   - functional: the layer's groups.
    ///   - observations: of its units at each of the `readings`' places.
    ///   - tau: what is told of a unit must be at least tau^2 of its variance, wherever its group was not found on that.
    package init(
        _ group: PruningGroup, functional: FunctionalGroups, readings: UnitReadings,
        observations: [StreamingCovariance], tau: Double
    ) {
        self.group = group
        let scene = Scene(places: readings.places, observations: observations, leastDetermination: tau * tau)
        for functionalGroup in functional.groups {
            let representative =
                functionalGroup.isConstant ? nil : scene.representative(of: functionalGroup.units)
            for unit in functionalGroup.units where unit != representative {
                do throws(RedundancyError) {
                    if merged.count + 1 == group.size { throw .unsuitable("one unit must stay") }
                    let changes = try scene.changes(replacing: unit, by: representative)
                    merged.append(Merge(unit: unit, representative: representative, changes: changes))
                } catch {
                    stayed.append((unit, error.description))
                }
            }
        }
        merged.sort { $0.unit < $1.unit }
        stayed.sort { $0.unit < $1.unit }
    }

    /// A layer of which nothing is merged.
    package init(refusing group: PruningGroup, functional: FunctionalGroups, reason: String) {
        self.group = group
        stayed = functional.redundantUnits.map { ($0, reason) }
    }

    package var units: [Int] { merged.map(\.unit) }

    /// The reasons why units stay, each with their number; nil if none does.
    package var refusal: String? {
        var counts: [(reason: String, count: Int)] = []
        for (_, reason) in stayed {
            if let known = counts.firstIndex(where: { $0.reason == reason }) {
                counts[known].count += 1
            } else {
                counts.append((reason, 1))
            }
        }
        guard !counts.isEmpty else { return nil }
        return counts.map { reason, count in
            (count == 1 ? "1 redundant unit stays: " : "\(count) redundant units stay: ") + reason
        }.joined(separator: "; ")
    }
}

extension FunctionalGroups {
    /// All units but one of each group that varies, and all constant ones: the representatives are chosen later, and are
    /// taken here to be the first.
    fileprivate var redundantUnits: [Int] {
        groups.flatMap { $0.isConstant ? $0.units[...] : $0.units.dropFirst() }.sorted()
    }
}

/// What is known of one layer's units where they are read.
private struct Scene {
    let places: [UnitReadings.Place]
    let observations: [StreamingCovariance]
    let leastDetermination: Double

    /// What rounding takes from an R^2 of one.
    private static let rounding = 1e-9

    /// Ties go to the lower number.
    func representative(of units: [Int]) -> Int {
        var best = (unit: units[0], sum: -Double.infinity)
        for unit in units {
            let sum = units.reduce(0.0) { sum, other in
                let correlation = other == unit ? 0 : observations[0].correlation(unit, other)
                return sum + correlation * correlation
            }
            if sum > best.sum { best = (unit, sum) }
        }
        return best.unit
    }

    /// - Throws: ``RedundancyError/unsuitable(_:)`` with the reason if some reader cannot do without the unit.
    func changes(
        replacing unit: Int, by representative: Int?
    ) throws(RedundancyError) -> [LayerMerge.Change] {
        var changes: [LayerMerge.Change] = []
        for (number, place) in places.enumerated() {
            for reader in place.readers {
                changes.append(
                    try change(of: reader, at: number, replacing: unit, by: representative ?? unit))
                if representative == nil, !observations[number].isConstant(unit) {
                    throw .unsuitable(
                        "constant where it was watched, but not where '\(reader.node.label)' reads it")
                }
            }
        }
        return changes
    }

    private func change(
        of reader: LinearReader, at number: Int, replacing unit: Int, by representative: Int
    ) throws(RedundancyError) -> LayerMerge.Change {
        let seen = observations[number]
        let line = UnitFit(of: unit, from: representative, in: seen)
        // Where the groups were found they say who belongs together; elsewhere that is to be seen.
        if number > 0, line.determination < leastDetermination - Self.rounding {
            throw .unsuitable(
                "'\(reader.node.label)' reads another value of it, in which it is not redundant")
        }
        if line.intercept == 0 { return LayerMerge.Change(reader: reader, fit: line, shift: nil) }
        let member = places[number].watched.member
        let values = member.indices(ofUnit: unit).map { ($0, line.intercept) }
        if let shift = reader.shift(of: Dictionary(uniqueKeysWithValues: values)) {
            return LayerMerge.Change(reader: reader, fit: line, shift: shift)
        }
        // Zero padding takes the intercept away at the border: do without it, if that is good enough.
        let origin = UnitFit(of: unit, throughOriginFrom: representative, in: seen)
        guard unit != representative, origin.determination >= leastDetermination - Self.rounding else {
            throw .unsuitable(
                "'\(reader.node.label)' does not add an intercept at every position (zero padding), and needs one"
            )
        }
        return LayerMerge.Change(reader: reader, fit: origin, shift: nil)
    }
}
