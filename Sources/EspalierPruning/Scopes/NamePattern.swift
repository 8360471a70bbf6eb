/// A pattern for names: `*` stands for any characters, `?` for one; everything else for itself.
package struct NamePattern: Sendable, Hashable, ExpressibleByStringLiteral {
    package let text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral text: String) { self.text = text }

    /// Whether the whole of `name` fits. Linear in practice: only the last `*` is ever retried.
    package func matches(_ name: String) -> Bool {
        let pattern = Array(text.unicodeScalars)
        let name = Array(name.unicodeScalars)
        var (inPattern, inName) = (0, 0)
        var lastStar: (pattern: Int, name: Int)?
        while inName < name.count {
            if inPattern < pattern.count, pattern[inPattern] == "*" {
                lastStar = (inPattern, inName)
                inPattern += 1
            } else if inPattern < pattern.count,
                pattern[inPattern] == "?" || pattern[inPattern] == name[inName]
            {
                inPattern += 1
                inName += 1
            } else if let star = lastStar {
                lastStar = (star.pattern, star.name + 1)
                (inPattern, inName) = (star.pattern + 1, star.name + 1)
            } else {
                return false
            }
        }
        return pattern[inPattern...].allSatisfy { $0 == "*" }
    }
}
