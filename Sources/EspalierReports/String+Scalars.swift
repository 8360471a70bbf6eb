extension String {
    /// Scalar by scalar: a quote with an accent is one character to Swift, and still a quote to shells and browsers.
    func replacingScalar(_ scalar: Unicode.Scalar, with text: String) -> String {
        var result = ""
        for other in unicodeScalars {
            if other == scalar { result += text } else { result.unicodeScalars.append(other) }
        }
        return result
    }
}
