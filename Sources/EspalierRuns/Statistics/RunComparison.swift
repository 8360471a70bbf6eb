/// Groups of runs side by side, and how they differ from the first one.
///
/// A group is one method, usually run with several seeds. Where two groups have at least two seeds in common, each once,
/// their difference comes with a Student-t interval over the pairs, unless all pairs differ by the same.
package struct RunComparison: Sendable, Equatable, Encodable {
    package struct Group: Sendable, Equatable, Encodable {
        package let name: String
        /// The records' numbers in the store.
        package let records: [Int64]
        package let seeds: [UInt64]
        package let figures: [Figure]
    }

    /// One figure over a group's runs.
    package struct Figure: Sendable, Equatable, Encodable {
        package let name: String
        package let kind: RunSummary.Kind
        package let count: Int
        package let mean: Double
        package let standardDeviation: Double?

        private enum CodingKeys: String, CodingKey { case name, count, mean, standardDeviation }
    }

    /// A group's figure minus the first group's.
    package struct Difference: Sendable, Equatable, Encodable {
        package let name: String
        package let group: String
        package let kind: RunSummary.Kind
        /// Over the pairs where there are any, else the difference of the means.
        package let mean: Double
        /// The interval's ends; nil without pairs, and where all pairs differ by the same.
        package let low: Double?
        package let high: Double?
        /// The number of pairs.
        package let pairs: Int?

        private enum CodingKeys: String, CodingKey { case name, group, mean, low, high, pairs }
    }

    package let confidence: Double
    package let groups: [Group]
    package let differences: [Difference]
    /// What a reader should know of how they were compared.
    package let notes: [String]

    /// - Parameter groups: at least one; the first is what the others are compared with.
    package init(_ groups: [(name: String, records: [StoredRecord])], confidence: Double = 0.95) {
        self.confidence = confidence
        self.groups = groups.map(Self.group)
        var notes: [String] = []
        var differences: [Difference] = []
        if let reference = groups.first {
            for group in groups.dropFirst() {
                let pairing = Pairing(group, reference)
                if let note = pairing.note { notes.append(note) }
                differences += Self.differences(group, reference, pairing, confidence)
            }
        }
        let data = Set(groups.flatMap { $0.records.compactMap(\.record.data?.fingerprint) })
        if data.count > 1 { notes.append("the runs were measured on \(data.count) different sets of data") }
        self.notes = notes
        self.differences = differences
    }

    private static func group(_ group: (name: String, records: [StoredRecord])) -> Group {
        let names = figureNames(group.records)
        return Group(
            name: group.name, records: group.records.map(\.id),
            seeds: Set(group.records.compactMap(\.record.seed)).sorted(),
            figures: names.map { name, kind in
                let summary = SampleSummary(values(name, group.records).map(\.value))
                return Figure(
                    name: name, kind: kind, count: summary.count, mean: summary.mean,
                    standardDeviation: summary.standardDeviation)
            })
    }

    private static func differences(
        _ group: (name: String, records: [StoredRecord]),
        _ reference: (name: String, records: [StoredRecord]),
        _ pairing: Pairing, _ confidence: Double
    ) -> [Difference] {
        let known = Set(figureNames(reference.records).map(\.name))
        return figureNames(group.records).filter { known.contains($0.name) }.map { name, kind in
            let (these, those) = (values(name, group.records), values(name, reference.records))
            if pairing.isPossible {
                func bySeed(_ values: [(seed: UInt64?, value: Double)]) -> [UInt64: Double] {
                    Dictionary(values.compactMap { entry in entry.seed.map { ($0, entry.value) } }) { $1 }
                }
                if let interval = PairedInterval(bySeed(these), minus: bySeed(those), confidence: confidence)
                {
                    return Difference(
                        name: name, group: group.name, kind: kind, mean: interval.mean, low: interval.low,
                        high: interval.high, pairs: interval.count)
                }
            }
            return Difference(
                name: name, group: group.name, kind: kind,
                mean: SampleSummary(these.map(\.value)).mean - SampleSummary(those.map(\.value)).mean,
                low: nil,
                high: nil, pairs: nil)
        }
    }

    /// The names of all figures that some record has, in the order of the first that has them.
    private static func figureNames(_ records: [StoredRecord]) -> [(name: String, kind: RunSummary.Kind)] {
        var names: [(name: String, kind: RunSummary.Kind)] = []
        for record in records {
            for figure in RunSummary(record.record).all
            where !names.contains(where: { $0.name == figure.name }) {
                names.append((figure.name, figure.kind))
            }
        }
        return names
    }

    private static func values(_ name: String, _ records: [StoredRecord]) -> [(seed: UInt64?, value: Double)]
    {
        records.compactMap { record in
            RunSummary(record.record).all.first { $0.name == name }.map { (record.record.seed, $0.value) }
        }
    }
}

/// Whether two groups can be compared seed by seed.
private struct Pairing {
    let isPossible: Bool
    /// Why not, if one might expect it, or what is left out.
    let note: String?

    init(
        _ group: (name: String, records: [StoredRecord]), _ reference: (name: String, records: [StoredRecord])
    ) {
        let (these, those) = (
            group.records.compactMap(\.record.seed), reference.records.compactMap(\.record.seed)
        )
        let shared = Set(these).intersection(those)
        if Set(these).count < these.count || Set(those).count < those.count {
            let side = Set(these).count < these.count ? group.name : reference.name
            isPossible = false
            note = "\(side) has several runs of one seed: \(group.name) and \(reference.name) are not paired"
        } else if shared.count < 2 {
            isPossible = false
            note =
                these.count > 1 || those.count > 1
                ? "\(group.name) and \(reference.name) share \(Self.number(shared.count, "seed")): no interval without two pairs"
                : nil
        } else {
            isPossible = true
            let left = these.count + those.count - 2 * shared.count
            note =
                left > 0
                ? "\(group.name) and \(reference.name) are paired over the \(shared.count) seeds that both have; "
                    + "the differences leave out \(Self.number(left, "run"))" : nil
        }
    }

    private static func number(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
