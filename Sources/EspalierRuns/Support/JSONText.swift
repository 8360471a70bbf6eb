/// Documents in texts, and what is wrong with them.
package enum JSONText {
    /// One sentence on an error of decoding.
    package static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .keyNotFound(let key, _): return "it has no '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty ? "it is of another type" : "'\(place)' is of another type"
        case .dataCorrupted(let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty ? "it is not JSON" : "'\(place)' cannot be read"
        @unknown default: return "\(error)"
        }
    }

    /// The documents that follow one another in a text, whether one a line or spread over lines, with the line (from 1)
    /// that each starts on. Commas and brackets of a list around them are not documents; a text that is one list yields
    /// the list.
    ///
    /// Nothing is checked but the nesting: what ends too early is returned as far as it goes, for the parser to refuse.
    package static func documents(in bytes: some Collection<UInt8>) -> [(line: Int, bytes: [UInt8])] {
        var documents: [(line: Int, bytes: [UInt8])] = []
        var current: [UInt8] = []
        var (line, startLine) = (1, 1)
        var depth = 0
        var (isInString, isEscaped) = (false, false)
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        func end() {
            if !current.isEmpty { documents.append((startLine, current)) }
            current = []
        }
        for byte in bytes {
            if current.isEmpty { startLine = line }
            if byte == UInt8(ascii: "\n") { line += 1 }
            if isInString {
                current.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            // Outside of all brackets a space ends a bare word, so that each is complained of apart.
            if isSpace(byte), depth == 0 {
                end()
                continue
            }
            current.append(byte)
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth = max(0, depth - 1)
                if depth == 0 { end() }
            default: break
            }
        }
        end()
        return documents
    }
}
