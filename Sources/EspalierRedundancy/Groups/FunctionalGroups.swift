/// The units of one layer, sorted by what they compute: those whose activations are correlated, positively or negatively,
/// are taken to do the same.
package struct FunctionalGroups: Sendable {
    /// Units that stand for each other, ascending, each with its sign relative to the first.
    package struct Group: Sendable, Equatable {
        package let units: [Int]
        package let signs: [Double]
        /// Whether the units never change over the data: what such a group does a bias can do, whatever its size.
        package let isConstant: Bool

        package var size: Int { units.count }
    }

    /// Groups that vary by their first unit; the constant units of the layer, if any, last.
    package let groups: [Group]

    /// Clusters by 1 - abs(correlation), average linkage, up to the height 1 - tau: within a group the mean absolute
    /// correlation of the two parts of every merge is at least tau.
    ///
    /// - Parameter tau: between 0, where all units are one group, and 1, where only copies are.
    /// - Throws: ``RedundancyError/outOfRange(_:value:allowed:)`` for another tau.
    package init(_ covariance: StreamingCovariance, tau: Double) throws(RedundancyError) {
        guard (0...1).contains(tau) else {
            throw .outOfRange("the threshold tau", value: "\(tau)", allowed: "between 0 and 1")
        }
        let all = 0..<covariance.variableCount
        let varying = all.filter { !covariance.isConstant($0) }
        let tree = AverageLinkage(itemCount: varying.count) { i, j in
            1 - abs(covariance.correlation(varying[i], varying[j]))
        }
        // Correlations of copies are 1 but for rounding.
        var groups = tree.clusters(upTo: 1 - tau + 1e-12).map { items in
            let units = items.map { varying[$0] }
            return Group(
                units: units,
                signs: units.map { covariance.correlation(units[0], $0) < 0 ? -1 : 1 }, isConstant: false)
        }
        let constant = all.filter { covariance.isConstant($0) }
        if !constant.isEmpty {
            groups.append(
                Group(
                    units: constant, signs: [Double](repeating: 1, count: constant.count), isConstant: true))
        }
        self.groups = groups
    }

    /// The groups that carry something of the data.
    package var varying: [Group] { groups.filter { !$0.isConstant } }
}
