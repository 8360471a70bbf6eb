import Foundation
import TestSupport

/// The official cases that cannot pass, and why: Fixtures/official-exceptions.txt.
///
/// Its lines are `SOURCE NAME: REASON`; those which start with a `#` are comments.
enum OfficialExceptions {
    static let listed = parse(text)

    static func reason(for official: OfficialCase) -> String? { listed[official.testDescription] }

    static func parse(_ text: String) -> [String: String] {
        var reasons: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: ": ", maxSplits: 1)
            // A line without a reason becomes an exception that matches no case, which a test reports.
            reasons[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
        return reasons
    }

    private static let text: String = {
        let fixtures = Bundle.module.url(forResource: "Fixtures", withExtension: nil)
        let file = fixtures?.appendingPathComponent("official-exceptions.txt")
        return file.flatMap { try? String(contentsOf: $0, encoding: .utf8) } ?? "unreadable"
    }()
}
