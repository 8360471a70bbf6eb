/// Splits comma-separated text into records and fields (RFC 4180), with line numbers for errors.
///
/// Fields may be quoted and then hold commas and doubled quotes, but no line breaks. Lines may end as on any system;
/// empty ones are skipped, and so is a byte order mark.
package struct CSVRecords {
    /// A field is a range of the bytes; only a quoted one may need its quotes undone.
    package struct Field {
        package var range: Range<Int>
        var hasDoubledQuotes = false
    }

    let bytes: [UInt8]
    private let place: String
    private var position: Int
    /// The number of the line that the record read last stands in, from 1.
    package private(set) var line = 0
    package private(set) var fields: [Field] = []

    package init(_ bytes: [UInt8], place: String) {
        self.bytes = bytes
        self.place = place
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// Reads the next record into ``fields``; false at the end.
    package mutating func advance() throws(DataError) -> Bool {
        while position < bytes.count {
            line += 1
            fields.removeAll(keepingCapacity: true)
            try readLine()
            if let only = fields.first, fields.count == 1, only.range.isEmpty { continue }
            return true
        }
        return false
    }

    package func text(_ field: Field) -> String {
        let text = String(decoding: bytes[field.range], as: UTF8.self)
        return field.hasDoubledQuotes
            ? text.split(separator: "\"\"", omittingEmptySubsequences: false).joined(separator: "\"") : text
    }

    /// The number that `field` is, or nil; infinities and not-a-number are none.
    package func number(_ field: Field) -> Double? {
        // By far the most common field is a short run of digits: no string is made for it.
        if !field.range.isEmpty, field.range.count <= 15 {
            var value = 0
            var isPlain = true
            for byte in bytes[field.range] {
                let digit = byte &- UInt8(ascii: "0")
                if digit > 9 {
                    isPlain = false
                    break
                }
                value = value * 10 + Int(digit)
            }
            if isPlain { return Double(value) }
        }
        guard let value = Double(text(field)), value.isFinite else { return nil }
        return value
    }

    package func error(_ reason: String, line: Int? = nil) -> DataError {
        DataError(.malformed, "\(place), line \(line ?? self.line)", reason)
    }

    private mutating func readLine() throws(DataError) {
        while true {
            try readField()
            guard position < bytes.count else { return }
            let separator = bytes[position]
            position += 1
            if separator == UInt8(ascii: ",") {
                // A comma as the very last byte still has an empty field behind it.
                if position == bytes.count { fields.append(Field(range: position..<position)) }
                continue
            }
            if separator == 0x0D, position < bytes.count, bytes[position] == 0x0A { position += 1 }
            return
        }
    }

    /// Reads a field up to the comma or line break behind it.
    private mutating func readField() throws(DataError) {
        skipSpace()
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            return try readQuotedField()
        }
        let start = position
        var end = position
        while position < bytes.count, !Self.endsField(bytes[position]) {
            if !Self.isSpace(bytes[position]) { end = position + 1 }
            position += 1
        }
        fields.append(Field(range: start..<end))
    }

    private mutating func readQuotedField() throws(DataError) {
        position += 1
        var field = Field(range: position..<position)
        while true {
            guard position < bytes.count, bytes[position] != 0x0A, bytes[position] != 0x0D else {
                throw error("a quote is opened and not closed")
            }
            if bytes[position] == UInt8(ascii: "\"") {
                guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\"") else { break }
                field.hasDoubledQuotes = true
                position += 1
            }
            position += 1
        }
        field.range = field.range.lowerBound..<position
        position += 1
        skipSpace()
        guard position == bytes.count || Self.endsField(bytes[position]) else {
            throw error("text behind a closing quote")
        }
        fields.append(field)
    }

    private mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func endsField(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == 0x0A || byte == 0x0D
    }
}
