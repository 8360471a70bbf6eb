import Foundation

/// Numbers as people read them; the same in tables of the command line and in reports.
package enum Format {
    /// 12,345,678
    package static func count(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        groups.insert(digits, at: 0)
        return (value < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    /// 12.3M
    package static func short(_ value: Int) -> String {
        switch value.magnitude {
        case 0..<10_000: count(value)
        case 10_000..<1_000_000: fixed(Double(value) / 1e3, 1) + "k"
        case 1_000_000..<1_000_000_000: fixed(Double(value) / 1e6, 2) + "M"
        default: fixed(Double(value) / 1e9, 2) + "G"
        }
    }

    /// 93.4 % from 0.934
    package static func percent(_ fraction: Double, digits: Int = 1) -> String {
        fixed(100 * fraction, digits) + " %"
    }

    /// 12.5 % from 0.125, with as many digits as it has, at most four: what was asked for.
    package static func share(_ fraction: Double) -> String {
        digits((1e6 * fraction).rounded() / 1e4, 4) + " %"
    }

    package static func fixed(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }

    /// 1.2 MB
    package static func bytes(_ value: Int) -> String {
        switch value.magnitude {
        case 0..<1_000: "\(value) B"
        case 1_000..<1_000_000: fixed(Double(value) / 1e3, 1) + " kB"
        case 1_000_000..<1_000_000_000: fixed(Double(value) / 1e6, 2) + " MB"
        default: fixed(Double(value) / 1e9, 2) + " GB"
        }
    }

    /// 3 min 05 s
    package static func duration(seconds: Double) -> String {
        guard seconds.isFinite else { return "–" }
        if seconds < 0.001 { return "< 1 ms" }
        if seconds < 1 { return fixed(seconds * 1000, 0) + " ms" }
        if seconds < 60 { return fixed(seconds, 1) + " s" }
        let whole = Int(clamped: seconds.rounded())
        return whole < 3600
            ? "\(whole / 60) min \(padded(whole % 60)) s"
            : "\(whole / 3600) h \(padded(whole % 3600 / 60)) min"
    }

    /// 1.5e-07
    package static func scientific(_ value: Double) -> String {
        value == 0 ? "0" : String(format: "%.1e", value)
    }

    /// Four significant digits, 0.01235 or 1.235e-07
    package static func significant(_ value: Double) -> String {
        value == 0 ? "0" : String(format: "%.4g", value)
    }

    /// At most `digits` significant digits, as many as the value has: 0.0009765625
    package static func digits(_ value: Double, _ digits: Int) -> String {
        value == 0 ? "0" : String(format: "%.\(digits)g", value)
    }

    /// "0.28 [0.10, 0.46]": a mean of paired differences with its interval. There is none where all are equal; older
    /// records have one without width.
    package static func paired(
        _ mean: Double, low: Double?, high: Double?, _ text: (Double) -> String
    ) -> String {
        guard let low, let high, low != high else { return "\(text(mean)) (all pairs equal)" }
        return "\(text(mean)) [\(text(low)), \(text(high))]"
    }

    private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
