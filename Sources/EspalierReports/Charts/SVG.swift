/// Text of SVG elements, with attributes and content escaped.
enum SVG {
    static func element(
        _ name: String, _ attributes: KeyValuePairs<String, String>, _ content: String = ""
    ) -> String {
        let text = attributes.map { " \($0)=\"\(escaped($1))\"" }.joined()
        return content.isEmpty ? "<\(name)\(text)/>" : "<\(name)\(text)>\(content)</\(name)>"
    }

    static func text(
        _ content: String, x: Double, y: Double, style: String = "label", anchor: String = "start"
    ) -> String {
        element(
            "text", ["x": number(x), "y": number(y), "class": style, "text-anchor": anchor], escaped(content))
    }

    static func line(x1: Double, y1: Double, x2: Double, y2: Double, style: String) -> String {
        element(
            "line",
            ["x1": number(x1), "y1": number(y1), "x2": number(x2), "y2": number(y2), "class": style])
    }

    static func rectangle(
        x: Double, y: Double, width: Double, height: Double, style: String, tooltip: String? = nil
    ) -> String {
        element(
            "rect",
            [
                "x": number(x), "y": number(y), "width": number(max(0, width)), "height": number(height),
                "rx": "2",
                "class": style,
            ], tooltip.map { element("title", [:], escaped($0)) } ?? "")
    }

    static func circle(x: Double, y: Double, radius: Double, style: String, tooltip: String) -> String {
        element(
            "circle", ["cx": number(x), "cy": number(y), "r": number(radius), "class": style],
            element("title", [:], escaped(tooltip)))
    }

    static func polyline(_ points: [(x: Double, y: Double)], style: String) -> String {
        let path = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        return element("polyline", ["points": path, "class": style])
    }

    static func polygon(_ points: [(x: Double, y: Double)], style: String) -> String {
        let path = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        return element("polygon", ["points": path, "class": style])
    }

    /// A drawing of the given size that scales with the page and is described to screen readers: as one picture, or, in
    /// the role `group`, by its parts.
    static func drawing(
        width: Double, height: Double, title: String, role: String = "img", _ content: [String]
    ) -> String {
        element(
            "svg",
            [
                "viewBox": "0 0 \(number(width)) \(number(height))", "role": role, "aria-label": title,
                "xmlns": "http://www.w3.org/2000/svg", "width": number(width), "height": number(height),
            ], content.joined(separator: "\n"))
    }

    /// Two decimals are a hundredth of a pixel.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        // Hundredths of what is larger are beyond its digits.
        guard abs(value) < 1e13 else { return String(value) }
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }

    /// Scalar by scalar: a quote with an accent is one character to Swift, and still a quote to a browser.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
