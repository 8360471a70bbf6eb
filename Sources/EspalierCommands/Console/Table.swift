/// A table in plain text, columns aligned: names to the left, numbers to the right.
package struct Table {
    package enum Alignment { case left, right }

    private let headers: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []
    private var footer: [String]?

    package init(_ columns: [(title: String, alignment: Alignment)]) {
        headers = columns.map(\.title)
        alignments = columns.map(\.alignment)
    }

    /// Adds a row; missing cells are empty.
    package mutating func add(_ cells: String...) {
        add(cells)
    }

    /// Adds a row; missing cells are empty.
    package mutating func add(_ cells: [String]) {
        rows.append(filled(cells))
    }

    /// Sets a last row below a line of its own, for totals.
    package mutating func setFooter(_ cells: String...) {
        footer = filled(cells)
    }

    private func filled(_ cells: [String]) -> [String] {
        headers.indices.map { $0 < cells.count ? cells[$0] : "" }
    }

    /// The lines of the table.
    ///
    /// - Parameter width: of the terminal; names in the first column are shortened in their middle as far as that is
    ///   needed and helps. nil for as wide as it gets.
    package func rendered(width: Int? = nil) -> String {
        let all = [headers] + rows + (footer.map { [$0] } ?? [])
        var widths = headers.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        if let width, !widths.isEmpty {
            let total = widths.reduce(0, +) + Self.gap.count * (widths.count - 1)
            if total > width { widths[0] = max(min(widths[0], Self.leastName), widths[0] - (total - width)) }
        }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: Self.gap)
        var lines = [line(headers, widths), rule] + rows.map { line($0, widths) }
        if let footer { lines += [rule, line(footer, widths)] }
        return lines.joined(separator: "\n")
    }

    private static let gap = "  "
    /// A name is not shortened below that many characters.
    private static let leastName = 16

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = cells.indices.map { column -> String in
            let cell = Self.shortened(cells[column], to: widths[column])
            let space = String(repeating: " ", count: widths[column] - cell.count)
            return alignments[column] == .left ? cell + space : space + cell
        }
        var text = padded.joined(separator: Self.gap)
        while text.last == " " { text.removeLast() }
        return text
    }

    /// Both ends of a name tell more than its middle.
    private static func shortened(_ text: String, to width: Int) -> String {
        guard text.count > width, width > 0 else { return text }
        let head = (width - 1) / 2
        return text.prefix(head) + "…" + text.suffix(width - 1 - head)
    }
}

/// Names with what is known beside them.
package struct FactSheet {
    private var facts: [(name: String, value: String)] = []

    package init() {}

    package mutating func add(_ name: String, _ value: String) {
        facts.append((name, value))
    }

    package func rendered() -> String {
        let width = facts.map(\.name.count).max() ?? 0
        return facts.map { $0.name.padding(to: width) + "  " + $0.value }.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
