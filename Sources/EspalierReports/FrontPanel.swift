import EspalierRuns
import Foundation

/// What the page's script shows of each network of a trade-off, as the JSON document that it reads.
struct FrontPanel {
    private struct Document: Encodable {
        /// The network that is shown first.
        var initial: Int
        /// The names of the channel groups that `widths` refer to.
        var groups: [String]
        var networks: [Network]
    }

    private struct Network: Encodable {
        var title: String
        /// Pairs of a name and a value.
        var facts: [[String]]
        /// A group's number, the channels that it keeps, and those that it had.
        var widths: [[Int]]
        var command: String?
    }

    private let document: Document

    /// - Parameters:
    ///   - networks: In the order of their numbers.
    ///   - names: What a network is known as beside its method, by its key.
    init(
        _ networks: [RunRecord.FrontPoint], texts: FrontTexts, names: [String: [String]], initial: Int
    ) {
        var numbers: [String: Int] = [:]
        var groups: [String] = []
        func number(_ group: String) -> Int {
            if let number = numbers[group] { return number }
            numbers[group] = groups.count
            groups.append(group)
            return groups.count - 1
        }
        let shown = networks.map { network in
            Network(
                title: ([texts.name(network)] + (names[network.key] ?? [])).joined(separator: ", "),
                facts: Self.facts(network, texts),
                widths: (network.widths ?? []).map { [number($0.group), $0.kept, $0.size] },
                command: network.arguments.map(ShellCommand.text))
        }
        document = Document(initial: initial, groups: groups, networks: shown)
    }

    private static func facts(_ network: RunRecord.FrontPoint, _ texts: FrontTexts) -> [[String]] {
        var facts = [["Method", network.method]]
        if let lambda = network.lambda { facts.append(["Price", Format.significant(lambda)]) }
        if let budget = network.budget { facts.append(["Budget", Format.share(budget)]) }
        facts += [
            ["Seed", String(network.seed)],
            ["Validation accuracy", texts.accuracy(1 - network.error)],
            ["Test accuracy", texts.accuracy(network.accuracy)],
        ]
        facts += texts.objectiveTexts(network).map { [$0.name, $0.value] }
        if let path = network.path { facts.append(["File", path]) }
        return facts
    }

    /// Fit for a `script` element: without `<`, nothing in a name ends the element or opens a comment.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and whole numbers always have a JSON text.
        let bytes = (try? encoder.encode(document)) ?? Data("null".utf8)
        return String(decoding: bytes, as: UTF8.self).replacingScalar("<", with: "\\u003c")
    }
}
