/// Several series over a common horizontal axis.
struct LineChart {
    struct Series {
        var name: String
        var points: [(x: Double, y: Double)]
        /// The standard deviation at each point, shown as a whisker, or all of them as a band; empty for none.
        var deviations: [Double] = []
    }

    var title: String
    var horizontalTitle: String
    var series: [Series]
    /// How values on the vertical axis are written.
    var format: (Double) -> String
    /// Places on the horizontal axis and how they are written; nil for whole numbers as they are.
    var horizontalTicks: [(x: Double, label: String)]?
    /// How a point's place is written.
    var horizontalFormat: (Double) -> String = SVG.number
    var showsBands = false
    /// What values can be at all: deviations are drawn no further.
    var limits = -Double.infinity...Double.infinity

    /// The page has colours for as many series; further ones take them again, dashed.
    static let colourCount = 8

    private static let width = 460.0
    private static let left = 58.0
    private static let right = 14.0
    private static let top = 30.0
    private static let plotHeight = 168.0
    private static let legendColumns = 2
    private static let legendRow = 18.0

    func rendered() -> String {
        let shown = series.filter { !$0.points.isEmpty }
        guard !shown.isEmpty else { return "" }
        let places = shown.flatMap { $0.points.map(\.x) } + (horizontalTicks ?? []).map(\.x)
        let horizontal = horizontalTicks == nil ? Axis(covering: places, tickCount: 7) : Axis(exactly: places)
        let vertical = Axis(covering: shown.flatMap { $0.extent(within: limits) })
        let end = Self.width - Self.right
        let base = Self.top + Self.plotHeight
        var parts = [SVG.text(title, x: Self.left, y: 16, style: "title")]
        for tick in vertical.ticks {
            let y = vertical.position(tick, from: base, to: Self.top)
            parts.append(SVG.line(x1: Self.left, y1: y, x2: end, y2: y, style: "grid"))
            parts.append(SVG.text(format(tick), x: Self.left - 8, y: y + 4, anchor: "end"))
        }
        for (tick, label) in horizontalTicks ?? Self.wholeNumbers(horizontal) {
            let x = horizontal.position(tick, from: Self.left, to: end)
            parts.append(SVG.text(label, x: x, y: base + 16, anchor: "middle"))
        }
        parts.append(SVG.text(horizontalTitle, x: (Self.left + end) / 2, y: base + 32, anchor: "middle"))
        if showsBands {
            for (index, line) in shown.enumerated() where line.deviations.contains(where: { $0 > 0 }) {
                let edges = zip(line.points, line.deviations).map { point, deviation in
                    (x: horizontal.position(point.x, from: Self.left, to: end), y: point.y, deviation)
                }
                let upper = edges.map {
                    (x: $0.x, y: vertical.position(limited($0.y + $0.2), from: base, to: Self.top))
                }
                let lower = edges.map {
                    (x: $0.x, y: vertical.position(limited($0.y - $0.2), from: base, to: Self.top))
                }
                parts.append(SVG.polygon(upper + lower.reversed(), style: "band \(style(index))"))
            }
        }
        for (index, line) in shown.enumerated() {
            let points = line.points.map {
                (
                    x: horizontal.position($0.x, from: Self.left, to: end),
                    y: vertical.position($0.y, from: base, to: Self.top)
                )
            }
            parts.append(SVG.polyline(points, style: "line \(style(index))"))
            for (point, value) in zip(points, line.points) {
                parts.append(
                    SVG.circle(
                        x: point.x, y: point.y, radius: 3, style: "dot \(style(index))",
                        tooltip:
                            "\(line.name), \(horizontalTitle) \(horizontalFormat(value.x)): \(format(value.y))"
                    ))
            }
            if !showsBands {
                for (point, (value, deviation)) in zip(points, zip(line.points, line.deviations))
                where deviation > 0 {
                    parts.append(
                        SVG.line(
                            x1: point.x,
                            y1: vertical.position(limited(value.y - deviation), from: base, to: Self.top),
                            x2: point.x,
                            y2: vertical.position(limited(value.y + deviation), from: base, to: Self.top),
                            style: "line \(style(index))"))
                }
            }
            let x = Self.left + Double(index % Self.legendColumns) * 190
            let y = base + 52 + Double(index / Self.legendColumns) * Self.legendRow
            parts.append(SVG.line(x1: x, y1: y, x2: x + 18, y2: y, style: "line \(style(index))"))
            parts.append(SVG.text(shortened(line.name), x: x + 24, y: y + 4))
        }
        let rows = (shown.count + Self.legendColumns - 1) / Self.legendColumns
        return SVG.drawing(
            width: Self.width, height: base + 44 + Double(rows) * Self.legendRow, title: title, parts)
    }

    private func limited(_ value: Double) -> Double { limits.clamped(value) }

    private static func wholeNumbers(_ axis: Axis) -> [(x: Double, label: String)] {
        axis.ticks.filter { $0 == $0.rounded() }.map { ($0, String(Int($0))) }
    }

    private func style(_ index: Int) -> String {
        let round = index / Self.colourCount
        return "series\(index % Self.colourCount)" + (round == 0 ? "" : " dash\(min(round, 2))")
    }

    /// A name that fits the legend's column: both ends tell more than its middle.
    private func shortened(_ name: String) -> String {
        name.count <= 27 ? name : name.prefix(13) + "…" + name.suffix(13)
    }
}

extension LineChart.Series {
    /// Values that the vertical axis must cover.
    fileprivate func extent(within limits: ClosedRange<Double>) -> [Double] {
        points.map(\.y) + zip(points, deviations).flatMap { [$0.y - $1, $0.y + $1].map(limits.clamped) }
    }
}

extension ClosedRange<Double> {
    fileprivate func clamped(_ value: Double) -> Double {
        Swift.min(Swift.max(value, lowerBound), upperBound)
    }
}
