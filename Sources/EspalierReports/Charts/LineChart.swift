/// Several series over a common horizontal axis.
struct LineChart {
    struct Series {
        var name: String
        /// Lines break at a point that has no place on an axis, as the loss of a run that diverged.
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

    /// The page has colours for as many series; further ones take them again, dashed in two ways.
    static let colourCount = 8
    private static let styleCount = 3 * colourCount

    private static let width = 460.0
    private static let left = 58.0
    private static let right = 14.0
    private static let end = width - right
    private static let top = 30.0
    private static let plotHeight = 168.0
    private static let base = top + plotHeight
    private static let legendColumns = 2
    private static let legendRow = 18.0

    /// A series as far as it can be drawn.
    private struct Line {
        var name: String
        /// Without the points that have no place.
        var pieces: [[Point]]

        var points: [Point] { pieces.flatMap { $0 } }
    }

    private struct Point {
        var x: Double
        var y: Double
        /// 0 for none.
        var deviation: Double
    }

    private struct Scales {
        var horizontal: Axis
        var vertical: Axis

        func x(_ value: Double) -> Double {
            horizontal.position(value, from: LineChart.left, to: LineChart.end)
        }

        func y(_ value: Double) -> Double {
            vertical.position(value, from: LineChart.base, to: LineChart.top)
        }
    }

    /// The drawing; more lines than can be told apart have several, one after another, on the same axes.
    func rendered() -> String {
        let lines = series.map(line).filter { !$0.pieces.isEmpty }
        guard !lines.isEmpty else { return "" }
        let points = lines.flatMap(\.points)
        let places = points.map(\.x) + (horizontalTicks ?? []).map(\.x)
        let scales = Scales(
            horizontal: horizontalTicks == nil
                ? Axis(covering: places, tickCount: 7) : Axis(exactly: places),
            vertical: Axis(covering: points.flatMap { [$0.y, lower($0), upper($0)] }))
        let fewest = (lines.count + Self.styleCount - 1) / Self.styleCount
        let size = (lines.count + fewest - 1) / fewest
        let parts = stride(from: 0, to: lines.count, by: size).map {
            Array(lines[$0..<min($0 + size, lines.count)])
        }
        return parts.enumerated().map { place, part in
            drawing(parts.count == 1 ? title : "\(title), \(place + 1) of \(parts.count)", part, scales)
        }.joined(separator: "\n")
    }

    private func line(_ series: Series) -> Line {
        var line = Line(name: series.name, pieces: [])
        var isBroken = true
        for (index, point) in series.points.enumerated() {
            guard Axis.hasPlace(point.x), Axis.hasPlace(point.y) else {
                isBroken = true
                continue
            }
            if isBroken { line.pieces.append([]) }
            isBroken = false
            let deviation = index < series.deviations.count ? series.deviations[index] : 0
            line.pieces[line.pieces.count - 1].append(
                Point(x: point.x, y: point.y, deviation: Axis.hasPlace(deviation) ? deviation : 0))
        }
        return line
    }

    private func lower(_ point: Point) -> Double { limited(point.y - point.deviation) }

    private func upper(_ point: Point) -> Double { limited(point.y + point.deviation) }

    private func limited(_ value: Double) -> Double {
        min(max(value, limits.lowerBound), limits.upperBound)
    }
}

// MARK: - Drawing

extension LineChart {
    private func drawing(_ title: String, _ lines: [Line], _ scales: Scales) -> String {
        var parts = [SVG.text(title, x: Self.left, y: 16, style: "title")] + axes(scales)
        if showsBands {
            for (index, line) in lines.enumerated() { parts += bands(line, style(index), scales) }
        }
        for (index, line) in lines.enumerated() {
            let style = style(index)
            parts += marks(line, style, scales)
            let x = Self.left + Double(index % Self.legendColumns) * 190
            let y = Self.base + 52 + Double(index / Self.legendColumns) * Self.legendRow
            parts.append(SVG.line(x1: x, y1: y, x2: x + 18, y2: y, style: "line \(style)"))
            parts.append(SVG.text(shortened(line.name), x: x + 24, y: y + 4))
        }
        let rows = (lines.count + Self.legendColumns - 1) / Self.legendColumns
        return SVG.drawing(
            width: Self.width, height: Self.base + 44 + Double(rows) * Self.legendRow, title: title, parts)
    }

    private func axes(_ scales: Scales) -> [String] {
        var parts: [String] = []
        for tick in scales.vertical.ticks {
            let y = scales.y(tick)
            parts.append(SVG.line(x1: Self.left, y1: y, x2: Self.end, y2: y, style: "grid"))
            parts.append(SVG.text(format(tick), x: Self.left - 8, y: y + 4, anchor: "end"))
        }
        for (tick, label) in horizontalTicks ?? Self.wholeNumbers(scales.horizontal) {
            parts.append(SVG.text(label, x: scales.x(tick), y: Self.base + 16, anchor: "middle"))
        }
        parts.append(
            SVG.text(
                horizontalTitle, x: (Self.left + Self.end) / 2, y: Self.base + 32, anchor: "middle"))
        return parts
    }

    private static func wholeNumbers(_ axis: Axis) -> [(x: Double, label: String)] {
        axis.ticks.filter { $0 == $0.rounded() }.map { ($0, SVG.number($0)) }
    }

    private func bands(_ line: Line, _ style: String, _ scales: Scales) -> [String] {
        guard line.points.contains(where: { $0.deviation > 0 }) else { return [] }
        return line.pieces.map { piece in
            let above = piece.map { (x: scales.x($0.x), y: scales.y(upper($0))) }
            let below = piece.map { (x: scales.x($0.x), y: scales.y(lower($0))) }
            return SVG.polygon(above + below.reversed(), style: "band \(style)")
        }
    }

    private func marks(_ line: Line, _ style: String, _ scales: Scales) -> [String] {
        var parts = line.pieces.map { piece in
            SVG.polyline(piece.map { (x: scales.x($0.x), y: scales.y($0.y)) }, style: "line \(style)")
        }
        for point in line.points {
            parts.append(
                SVG.circle(
                    x: scales.x(point.x), y: scales.y(point.y), radius: 3, style: "dot \(style)",
                    tooltip:
                        "\(line.name), \(horizontalTitle) \(horizontalFormat(point.x)): \(format(point.y))"))
        }
        if !showsBands {
            for point in line.points where point.deviation > 0 {
                parts.append(
                    SVG.line(
                        x1: scales.x(point.x), y1: scales.y(lower(point)), x2: scales.x(point.x),
                        y2: scales.y(upper(point)), style: "line \(style)"))
            }
        }
        return parts
    }

    private func style(_ index: Int) -> String {
        let round = index / Self.colourCount
        return "series\(index % Self.colourCount)" + (round == 0 ? "" : " dash\(round)")
    }

    /// A name that fits the legend's column: both ends tell more than its middle.
    private func shortened(_ name: String) -> String {
        name.count <= 27 ? name : name.prefix(13) + "…" + name.suffix(13)
    }
}
