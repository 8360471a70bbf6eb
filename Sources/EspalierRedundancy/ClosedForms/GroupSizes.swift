/// How many interchangeable units each functional group has, the m_i: at least one group, none empty.
package struct GroupSizes: Sendable, Equatable {
    package let sizes: [Int]

    /// All units together.
    package let unitCount: Int

    /// - Throws: ``RedundancyError/outOfRange(_:value:allowed:)`` for no groups, an empty one, or too many units.
    package init(_ sizes: [Int]) throws(RedundancyError) {
        guard !sizes.isEmpty else {
            throw .outOfRange("the number of groups", value: "0", allowed: "positive")
        }
        var total = 0
        for size in sizes {
            guard size > 0 else {
                throw .outOfRange("the size of a group", value: "\(size)", allowed: "positive")
            }
            let (sum, overflows) = total.addingReportingOverflow(size)
            // Whole numbers up to this are doubles.
            guard !overflows, sum <= 1 << 53 else {
                throw .outOfRange("the number of units", value: "more than 2^53", allowed: "at most 2^53")
            }
            total = sum
        }
        self.sizes = sizes
        unitCount = total
    }

    /// Each different size, ascending, with how often it occurs: groups of one size are alike in every closed form.
    package var distinct: [(size: Int, count: Int)] {
        sizes.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            .sorted { $0.key < $1.key }.map { (size: $0.key, count: $0.value) }
    }
}
