import ArgumentParser
import EspalierPruning

/// Criteria named on a command line, separated by commas.
enum CriterionNames {
    /// - Parameters:
    ///   - option: for messages.
    ///   - granularity: what all of them must score.
    /// - Throws: `ValidationError`.
    static func names(_ text: String, of option: String, for granularity: Granularity) throws -> [String] {
        let known = Criteria.all.map { $0.information.id }
        let names = text.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
        for name in names {
            guard let type = Criteria.all.first(where: { $0.information.id == name }) else {
                throw ValidationError("\(option) \(name) is none of \(known.joined(separator: ", "))")
            }
            guard type.granularities.contains(granularity.kind) else {
                throw ValidationError(
                    "\(option) \(name) is for \(type.granularities.map(\.rawValue).sorted().joined(separator: ", "))"
                )
            }
        }
        guard !names.isEmpty, Set(names).count == names.count else {
            throw ValidationError("\(option) names each criterion once")
        }
        return names
    }
}
