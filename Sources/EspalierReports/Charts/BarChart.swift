/// Rows of horizontal bars from a common zero: the same few things, side by side, of each of several.
struct BarChart {
    struct Row {
        var name: String
        /// One for each series; nil where there is none.
        var values: [Double?]
    }

    var title: String
    var series: [String]
    var rows: [Row]
    /// Of a value, beside its bar.
    var format: (Double) -> String

    private static let width = 460.0
    private static let barHeight = 11.0
    private static let rowGap = 9.0
    private static let left = 150.0
    private static let right = 70.0
    private static let top = 48.0

    func rendered() -> String {
        let largest = rows.flatMap { $0.values.compactMap { $0 } }.filter(\.isFinite).max() ?? 0
        guard largest > 0 else { return "" }
        let available = Self.width - Self.left - Self.right
        var parts = [SVG.text(title, x: 0, y: 16, style: "title")] + legend
        var y = Self.top
        for row in rows {
            let height = Double(series.count) * Self.barHeight
            parts.append(
                SVG.text(shortened(row.name), x: Self.left - 8, y: y + height / 2 + 4, anchor: "end"))
            for (place, value) in row.values.enumerated() {
                guard let value, value.isFinite else { continue }
                let top = y + Double(place) * Self.barHeight
                let length = available * (value / largest)
                parts.append(
                    SVG.rectangle(
                        x: Self.left, y: top, width: length, height: Self.barHeight - 2,
                        style: "dot series\(place)",
                        tooltip: "\(row.name), \(series[place]): \(format(value))"))
                parts.append(SVG.text(format(value), x: Self.left + length + 6, y: top + Self.barHeight - 2))
            }
            y += height + Self.rowGap
        }
        return SVG.drawing(width: Self.width, height: y, title: title, parts)
    }

    private var legend: [String] {
        var x = 0.0
        return series.enumerated().flatMap { place, name in
            let start = x
            // Letters of the legend's size are about that wide.
            x += 24 + 6.2 * Double(name.count)
            return [
                SVG.rectangle(x: start, y: 26, width: 10, height: 10, style: "dot series\(place)"),
                SVG.text(name, x: start + 14, y: 35),
            ]
        }
    }

    /// Long names keep their end, where they differ.
    private func shortened(_ name: String) -> String {
        name.count <= 22 ? name : "…" + name.suffix(21)
    }
}
