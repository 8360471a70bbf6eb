/// Networks as points over two quantities that are to be small, those of a front joined by the staircase of what can be had.
///
/// Each point carries the number of its network in `data-point`, the same in all charts of a front: the page's script
/// finds it there.
struct FrontChart {
    struct Quantity {
        /// Along the axis.
        var title: String
        /// A tick's text.
        var format: (Double) -> String
    }

    struct Point {
        var network: Int
        var mark: FrontMark
        var isOnFront: Bool
        var x: Double
        var y: Double
        var tooltip: String
        /// What it is known as beside its method: ``chosen`` or others, each with a ring of its own kind.
        var names: [String]
    }

    static let chosen = "chosen"

    struct LegendEntry {
        var name: String
        var mark: FrontMark
    }

    var title: String
    var horizontal: Quantity
    /// Its smallest values are at the top if `isRising`: accuracy, told by the error.
    var vertical: Quantity
    var isRising: Bool
    var points: [Point]
    var hasStaircase: Bool
    /// None for no legend.
    var methods: [LegendEntry]

    private let horizontalScale: SpanScale
    private let verticalScale: SpanScale

    // The page writes larger letters on small screens, where drawings shrink; there is room for them.
    private static let width = 460.0
    private static let left = 66.0
    private static let right = 16.0
    private static let top = 34.0
    private static let plotHeight = 236.0
    private static let base = top + plotHeight
    private static let end = width - right
    private static let legendColumns = 2
    private static let legendRow = 22.0

    /// Points that are negative or have no place on an axis are left out.
    init(
        title: String, horizontal: Quantity, vertical: Quantity, isRising: Bool, points: [Point],
        hasStaircase: Bool, methods: [LegendEntry] = []
    ) {
        self.title = title
        self.horizontal = horizontal
        self.vertical = vertical
        self.isRising = isRising
        self.points = points.filter { point in
            [point.x, point.y].allSatisfy { $0 >= 0 && Axis.hasPlace($0) }
        }
        self.hasStaircase = hasStaircase
        self.methods = methods
        horizontalScale = SpanScale(covering: self.points.map(\.x))
        verticalScale = SpanScale(covering: self.points.map(\.y))
    }

    var isVerticallyLogarithmic: Bool { verticalScale.isLogarithmic }

    func rendered() -> String {
        guard !points.isEmpty else { return "" }
        let legend = legend
        let rows = (legend.count + Self.legendColumns - 1) / Self.legendColumns
        // The front over the others, and what stands out over all.
        let ordered = points.filter { !$0.isOnFront } + points.filter(\.isOnFront)
        var parts = [SVG.text(title, x: 0, y: 16, style: "title")] + axes
        if hasFront { parts.append(SVG.polyline(staircase, style: "line series0")) }
        parts += ordered.map(drawing) + names
        for (place, entry) in legend.enumerated() {
            let x = Self.left - 50 + Double(place % Self.legendColumns) * 215
            let y = Self.base + 68 + Double(place / Self.legendColumns) * Self.legendRow
            parts.append(translated(entry.symbol, x: x + 10, y: y))
            parts.append(SVG.text(shortened(entry.name), x: x + 26, y: y + 4))
        }
        return SVG.drawing(
            width: Self.width, height: Self.base + 50 + (rows == 0 ? 0 : 10 + Double(rows) * Self.legendRow),
            title: title, role: "group", parts)
    }

    // MARK: Scales

    private func place(x: Double, y: Double) -> (x: Double, y: Double) {
        (
            horizontalScale.position(x, from: Self.left, to: Self.end),
            isRising
                ? verticalScale.position(y, from: Self.top, to: Self.base)
                : verticalScale.position(y, from: Self.base, to: Self.top)
        )
    }

    private var axes: [String] {
        var parts: [String] = []
        for tick in verticalScale.ticks {
            let y = place(x: 1, y: tick).y
            parts.append(SVG.line(x1: Self.left, y1: y, x2: Self.end, y2: y, style: "grid"))
            parts.append(SVG.text(vertical.format(tick), x: Self.left - 8, y: y + 4, anchor: "end"))
        }
        for tick in horizontalScale.ticks {
            let x = place(x: tick, y: 1).x
            parts.append(SVG.line(x1: x, y1: Self.base, x2: x, y2: Self.base + 5, style: "grid"))
            parts.append(SVG.text(horizontal.format(tick), x: x, y: Self.base + 20, anchor: "middle"))
        }
        let scale = horizontalScale.isLogarithmic ? " (logarithmic)" : ""
        parts.append(
            SVG.text(
                horizontal.title + scale, x: (Self.left + Self.end) / 2, y: Self.base + 44, anchor: "middle"))
        return parts
    }

    // MARK: Points

    private var hasFront: Bool { hasStaircase && points.contains(where: \.isOnFront) }

    /// The least that the front has of the vertical quantity for at most so much of the horizontal one.
    private var staircase: [(x: Double, y: Double)] {
        var corners: [(x: Double, y: Double)] = []
        var least = Double.infinity
        for point in points.filter(\.isOnFront).sorted(by: { ($0.x, $0.y) < ($1.x, $1.y) })
        where point.y < least {
            let corner = place(x: point.x, y: point.y)
            corners.append((corner.x, corners.last?.y ?? (isRising ? Self.base : Self.top)))
            corners.append(corner)
            least = point.y
        }
        if let last = corners.last { corners.append((Self.end, last.y)) }
        return corners
    }

    private func drawing(_ point: Point) -> String {
        let place = place(x: point.x, y: point.y)
        return SVG.element(
            "g",
            [
                "class": point.isOnFront ? "mark" : "mark faint", "data-point": String(point.network),
                "transform": "translate(\(SVG.number(place.x)),\(SVG.number(place.y)))",
            ], SVG.element("title", [:], SVG.escaped(point.tooltip)) + point.mark.drawing())
    }

    /// Rings around the points that have names, and the names: to the upper left, where a front leaves room; one above the
    /// other where they would meet.
    private var names: [String] {
        var parts: [String] = []
        var taken: [(x: ClosedRange<Double>, y: Double)] = []
        for point in points where !point.names.isEmpty {
            let place = place(x: point.x, y: point.y)
            for name in point.names {
                parts.append(
                    translated(
                        Self.ring(name, radius: name == Self.chosen ? 9 : 12), x: place.x, y: place.y))
            }
            let text = point.names.joined(separator: ", ")
            let width = 8 * Double(text.count)
            let isCramped = place.x - 13 - width < Self.left
            let start = isCramped ? place.x - 4 : place.x - 13 - width
            let range = start...(start + width)
            var y = max(Self.top + 4, place.y - 11)
            while taken.contains(where: { $0.x.overlaps(range) && abs($0.y - y) < 15 }) { y -= 15 }
            taken.append((range, y))
            parts.append(
                SVG.text(
                    text, x: isCramped ? start : place.x - 13, y: y, style: "name",
                    anchor: isCramped ? "start" : "end"))
        }
        return parts
    }

    private static func ring(_ name: String, radius: Double) -> String {
        SVG.element(
            "circle", ["r": SVG.number(radius), "class": name == chosen ? "ring" : "ring dash"])
    }

    private func translated(_ content: String, x: Double, y: Double) -> String {
        SVG.element("g", ["transform": "translate(\(SVG.number(x)),\(SVG.number(y)))"], content)
    }

    // MARK: Legend

    private var legend: [(name: String, symbol: String)] {
        guard !methods.isEmpty else { return [] }
        var entries: [(name: String, symbol: String)] = methods.map { ($0.name, $0.mark.drawing()) }
        if hasFront {
            entries.append(("front", SVG.line(x1: -10, y1: 0, x2: 10, y2: 0, style: "line series0")))
        }
        if points.contains(where: { !$0.isOnFront }), let mark = methods.first?.mark {
            entries.append(("dominated", SVG.element("g", ["class": "mark faint"], mark.drawing())))
        }
        let names = points.flatMap(\.names)
        for name in Set(names).sorted() { entries.append((name, Self.ring(name, radius: 7.5))) }
        return entries
    }

    private func shortened(_ name: String) -> String {
        name.count <= 22 ? name : name.prefix(10) + "…" + name.suffix(11)
    }
}
