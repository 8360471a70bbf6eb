/// One row per layer: how much of it is kept, as a bar inside the bar of what there was.
struct KeptBarChart {
    struct Row {
        var name: String
        var kept: Int
        var total: Int
    }

    var title: String
    var unit: String
    var rows: [Row]

    private static let width = 460.0
    private static let rowHeight = 26.0
    private static let left = 130.0
    private static let right = 110.0
    private static let top = 30.0

    func rendered() -> String {
        guard !rows.isEmpty else { return "" }
        let available = Self.width - Self.left - Self.right
        var parts = [SVG.text(title, x: 0, y: 16, style: "title")]
        for (index, row) in rows.enumerated() {
            let y = Self.top + Double(index) * Self.rowHeight
            let share = row.total == 0 ? 1 : Double(row.kept) / Double(row.total)
            let tooltip =
                "\(row.name): \(Format.count(row.kept)) of \(Format.count(row.total)) \(unit) kept (\(Format.percent(share)))"
            parts.append(SVG.text(shortened(row.name), x: Self.left - 8, y: y + 13, anchor: "end"))
            parts.append(
                SVG.rectangle(
                    x: Self.left, y: y, width: available, height: 17, style: "whole", tooltip: tooltip))
            parts.append(
                SVG.rectangle(
                    x: Self.left, y: y, width: available * share, height: 17, style: "kept", tooltip: tooltip)
            )
            parts.append(
                SVG.text(
                    "\(Format.percent(share)) of \(Format.short(row.total))", x: Self.width - Self.right + 8,
                    y: y + 13))
        }
        return SVG.drawing(
            width: Self.width, height: Self.top + Double(rows.count) * Self.rowHeight + 6, title: title, parts
        )
    }

    /// Long names keep their end, where they differ.
    private func shortened(_ name: String) -> String {
        name.count <= 18 ? name : "…" + name.suffix(17)
    }
}
