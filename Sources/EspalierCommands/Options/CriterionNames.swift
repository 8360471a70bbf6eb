import ArgumentParser
import EspalierPruning

/// Criteria named on a command line.
enum CriterionNames {
    /// Those that are separated by commas.
    ///
    /// - Parameters:
    ///   - option: for messages.
    ///   - granularity: what all of them must score; nil for whatever each can.
    /// - Throws: `ValidationError`.
    static func names(_ text: String, of option: String, for granularity: Granularity?) throws -> [String] {
        let names = text.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
        for name in names { try check(name, of: option, for: granularity) }
        guard !names.isEmpty, Set(names).count == names.count else {
            throw ValidationError("\(option) names each criterion once")
        }
        return names
    }

    /// Refuses a name that is no criterion's, or the name of one that has no scores for `granularity`.
    ///
    /// - Throws: `ValidationError`.
    static func check(_ name: String, of option: String, for granularity: Granularity?) throws {
        guard let type = Criteria.all.first(where: { $0.information.id == name }) else {
            let known = Criteria.all.map { $0.information.id }.joined(separator: ", ")
            throw ValidationError("\(option) \(name) is none of \(known)")
        }
        guard let granularity, !type.granularities.contains(granularity.kind) else { return }
        let scored = type.granularities.map(\.rawValue).sorted().joined(separator: ", ")
        throw ValidationError("\(option) \(name) is for \(scored) granularity, not \(granularity.rawValue)")
    }
}
