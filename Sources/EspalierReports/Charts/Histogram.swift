/// How many of several shares, from 0 to 1, lie in each twentieth. Those that are exactly zero have a bar of their own.
struct Histogram {
    var title: String
    var horizontalTitle: String
    /// What is counted.
    var unit: String
    var values: [Double]

    private static let binCount = 20
    private static let width = 460.0
    private static let height = 220.0
    private static let left = 58.0
    private static let right = 14.0
    private static let top = 30.0
    private static let bottom = 42.0
    /// Between the bar of zeros and the others.
    private static let gap = 8.0

    func rendered() -> String {
        guard !values.isEmpty else { return "" }
        let zeros = values.count { $0 == 0 }
        var bins = [Int](repeating: 0, count: Self.binCount)
        for value in values where value > 0 {
            bins[min(Self.binCount - 1, max(0, Int(clamped: value * Double(Self.binCount))))] += 1
        }
        let vertical = Axis(covering: [0, Double(max(zeros, bins.max() ?? 0))])
        let base = Self.height - Self.bottom
        let end = Self.width - Self.right
        var parts = [SVG.text(title, x: Self.left, y: 16, style: "title")]
        for tick in vertical.ticks where tick == tick.rounded() {
            let y = vertical.position(tick, from: base, to: Self.top)
            parts.append(SVG.line(x1: Self.left, y1: y, x2: end, y2: y, style: "grid"))
            parts.append(SVG.text(Format.count(Int(tick)), x: Self.left - 8, y: y + 4, anchor: "end"))
        }
        let barWidth = (end - Self.left - Self.gap) / Double(Self.binCount + 1)
        func bar(_ count: Int, x: Double, style: String, _ range: String) {
            guard count > 0 else { return }
            let y = vertical.position(Double(count), from: base, to: Self.top)
            parts.append(
                SVG.rectangle(
                    x: x + 1, y: y, width: barWidth - 2, height: base - y, style: style,
                    tooltip: "\(Format.count(count)) \(unit) at \(range)"))
        }
        bar(zeros, x: Self.left, style: "dot series1", "exactly 0")
        let start = Self.left + barWidth + Self.gap
        for (index, count) in bins.enumerated() {
            let (low, high) = (
                Double(index) / Double(Self.binCount), Double(index + 1) / Double(Self.binCount)
            )
            bar(
                count, x: start + Double(index) * barWidth, style: "kept",
                "\(Format.percent(low, digits: 0)) to \(Format.percent(high, digits: 0))")
        }
        parts.append(SVG.text("0", x: Self.left + barWidth / 2, y: base + 16, anchor: "middle"))
        for percent in stride(from: 0, through: 100, by: 25) {
            let x = start + Double(percent) / 100 * (end - start)
            parts.append(
                SVG.text(
                    percent == 0 ? ">0" : "\(percent) %", x: x, y: base + 16,
                    anchor: percent == 100 ? "end" : "middle"))
        }
        parts.append(SVG.text(horizontalTitle, x: (Self.left + end) / 2, y: base + 32, anchor: "middle"))
        return SVG.drawing(width: Self.width, height: Self.height, title: title, parts)
    }
}
