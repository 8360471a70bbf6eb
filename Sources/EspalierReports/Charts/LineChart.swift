/// Several series over a common horizontal axis.
struct LineChart {
    struct Series {
        var name: String
        var points: [(x: Double, y: Double)]
    }

    var title: String
    var horizontalTitle: String
    var series: [Series]
    /// How values on the vertical axis are written.
    var format: (Double) -> String

    private static let width = 460.0
    private static let height = 260.0
    private static let left = 58.0
    private static let right = 14.0
    private static let top = 30.0
    private static let bottom = 62.0

    func rendered() -> String {
        let shown = series.filter { !$0.points.isEmpty }
        guard !shown.isEmpty else { return "" }
        let horizontal = Axis(covering: shown.flatMap { $0.points.map(\.x) }, tickCount: 7)
        let vertical = Axis(covering: shown.flatMap { $0.points.map(\.y) })
        let end = Self.width - Self.right
        let base = Self.height - Self.bottom
        var parts = [SVG.text(title, x: Self.left, y: 16, style: "title")]
        for tick in vertical.ticks {
            let y = vertical.position(tick, from: base, to: Self.top)
            parts.append(SVG.line(x1: Self.left, y1: y, x2: end, y2: y, style: "grid"))
            parts.append(SVG.text(format(tick), x: Self.left - 8, y: y + 4, anchor: "end"))
        }
        for tick in horizontal.ticks where tick == tick.rounded() {
            let x = horizontal.position(tick, from: Self.left, to: end)
            parts.append(SVG.text(String(Int(tick)), x: x, y: base + 16, anchor: "middle"))
        }
        parts.append(SVG.text(horizontalTitle, x: (Self.left + end) / 2, y: base + 32, anchor: "middle"))
        for (index, line) in shown.enumerated() {
            let points = line.points.map {
                (
                    x: horizontal.position($0.x, from: Self.left, to: end),
                    y: vertical.position($0.y, from: base, to: Self.top)
                )
            }
            parts.append(SVG.polyline(points, style: "line series\(index)"))
            for (point, value) in zip(points, line.points) {
                parts.append(
                    SVG.circle(
                        x: point.x, y: point.y, radius: 3, style: "dot series\(index)",
                        tooltip: "\(line.name), \(horizontalTitle) \(SVG.number(value.x)): \(format(value.y))"
                    ))
            }
            let legend = Self.left + Double(index) * 190
            parts.append(
                SVG.line(
                    x1: legend, y1: Self.height - 10, x2: legend + 18, y2: Self.height - 10,
                    style: "line series\(index)"))
            parts.append(SVG.text(line.name, x: legend + 24, y: Self.height - 6))
        }
        return SVG.drawing(width: Self.width, height: Self.height, title: title, parts)
    }
}
