import Foundation

/// Points over a share from 0 to 1, their heights on a logarithmic scale. Points at zero lie on the lowest line; those without
/// a place on an axis are left out.
struct ScatterChart {
    struct Point {
        var name: String
        var x: Double
        /// Not negative.
        var y: Double
        /// Drawn in another colour.
        var isMarked: Bool
    }

    var title: String
    var horizontalTitle: String
    var points: [Point]

    private static let width = 460.0
    private static let height = 220.0
    private static let left = 58.0
    private static let right = 14.0
    private static let top = 30.0
    private static let bottom = 42.0
    /// More decades than these below the largest are not told apart.
    private static let decades = 12.0

    func rendered() -> String {
        let points = points.filter { Axis.hasPlace($0.x) && Axis.hasPlace($0.y) }
        guard let largest = points.map(\.y).max() else { return "" }
        let top = largest > 0 ? log10(largest).rounded(.up) : 0
        let logarithms = points.map(\.y).filter { $0 > 0 }.map { log10($0) }
        let low = max(top - Self.decades, ((logarithms.min() ?? top - 1) - 0.5).rounded(.down))
        let horizontal = Axis(covering: [0, 1])
        let base = Self.height - Self.bottom
        let end = Self.width - Self.right
        let step = max(1, ((top - low) / 5).rounded(.up))
        func height(_ logarithm: Double) -> Double {
            base + (max(low, logarithm) - low) / max(1, top - low) * (Self.top - base)
        }
        var parts = [SVG.text(title, x: Self.left, y: 16, style: "title")]
        for exponent in stride(from: top, through: low, by: -step) {
            let y = height(exponent)
            parts.append(SVG.line(x1: Self.left, y1: y, x2: end, y2: y, style: "grid"))
            parts.append(SVG.text("1e\(Int(exponent))", x: Self.left - 8, y: y + 4, anchor: "end"))
        }
        for tick in horizontal.ticks {
            let x = horizontal.position(tick, from: Self.left, to: end)
            let anchor = tick == 1 ? "end" : "middle"
            parts.append(SVG.text(Format.percent(tick, digits: 0), x: x, y: base + 16, anchor: anchor))
        }
        parts.append(SVG.text(horizontalTitle, x: (Self.left + end) / 2, y: base + 32, anchor: "middle"))
        for point in points {
            let x = horizontal.position(point.x, from: Self.left, to: end)
            parts.append(
                SVG.circle(
                    x: x, y: height(point.y > 0 ? log10(point.y) : low), radius: 3,
                    style: point.isMarked ? "point dead" : "point",
                    tooltip: "\(point.name): fires in \(Format.percent(point.x)), saliency "
                        + Format.scientific(point.y)))
        }
        return SVG.drawing(width: Self.width, height: Self.height, title: title, parts)
    }
}
