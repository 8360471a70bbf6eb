/// The figures of a record that runs are compared by, wherever its command puts them.
package struct RunSummary: Sendable, Equatable {
    package let accuracy: Double?
    package let loss: Double?
    /// The share of the prunable parameters that was removed.
    package let sparsity: Double?
    /// What the network costs that the run ends with.
    package let size: RunRecord.Measures?
    package let elapsedSeconds: Double?
    /// Figures of an experiment's own.
    package let figures: [String: Double]

    package init(_ record: RunRecord) {
        size = record.after
        accuracy = record.after?.accuracy ?? record.accuracy
        loss = record.after?.loss ?? record.loss
        sparsity = record.achievedSparsity
        elapsedSeconds = record.elapsedSeconds
        figures = record.figures ?? [:]
    }

    /// What a figure is, for how it is written.
    package enum Kind: Sendable, Hashable {
        /// A share, 0...1.
        case fraction
        case count, bytes, seconds, plain
    }

    /// All that the record has, by the names of its JSON keys, quality first.
    package var all: [(name: String, kind: Kind, value: Double)] {
        var all: [(name: String, kind: Kind, value: Double)] = []
        func add(_ name: String, _ kind: Kind, _ value: Double?) {
            if let value { all.append((name, kind, value)) }
        }
        add("accuracy", .fraction, accuracy)
        add("loss", .plain, loss)
        add("sparsity", .fraction, sparsity)
        add("parameters", .count, size.map { Double($0.parameters) })
        add("nonzero", .count, size.map { Double($0.nonzero) })
        add("macs", .count, size.map { Double($0.macs) })
        add("effectiveMacs", .count, size.map { Double($0.effectiveMacs) })
        add("fileBytes", .bytes, size?.fileBytes.map(Double.init))
        add("elapsedSeconds", .seconds, elapsedSeconds)
        for (name, value) in figures.sorted(by: { $0.key < $1.key }) { add(name, .plain, value) }
        return all
    }
}
