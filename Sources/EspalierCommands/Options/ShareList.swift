import ArgumentParser

/// Shares separated by commas.
///
/// An option of this type names the range that it takes by its `transform`, so that what is wrong with a list is told.
struct ShareList: Equatable {
    /// Ascending, each once.
    let values: [Double]

    init(_ values: [Double]) { self.values = values }

    /// Reads shares that something is left of.
    @Sendable static func belowOne(_ text: String) throws -> ShareList {
        try read(text, "from 0 to below 1") { $0 >= 0 && $0 < 1 }
    }

    @Sendable static func upToOne(_ text: String) throws -> ShareList {
        try read(text, "from 0 to 1") { $0 >= 0 && $0 <= 1 }
    }

    private static func read(
        _ text: String, _ range: String, isAllowed: (Double) -> Bool
    ) throws -> ShareList {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0.filter { !$0.isWhitespace })
        }
        let allowed = numbers.compactMap { $0 }.filter(isAllowed)
        guard allowed.count == numbers.count else {
            throw ValidationError("give shares \(range), separated by commas")
        }
        return ShareList(Set(allowed).sorted())
    }

    /// As it is written.
    var text: String { values.map { "\($0)" }.joined(separator: ",") }
}
