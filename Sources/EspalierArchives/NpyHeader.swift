/// The header of an `.npy` file: a Python dictionary in text, as NumPy's format 1.0, 2.0 and 3.0 writes it.
struct NpyHeader: Sendable, Hashable {
    /// NumPy's type string, such as `<f4`.
    var typeString: String
    /// Whether the first index varies fastest.
    var isFortranOrder: Bool
    var shape: [Int]

    /// Reads the header at the start of `bytes`.
    ///
    /// - Returns: the header and where the elements start.
    /// - Throws: ``ArchiveError`` `malformed`, or `unsupported` for types with fields and unknown versions.
    static func read(
        _ bytes: ArraySlice<UInt8>, place: String
    ) throws(ArchiveError) -> (header: NpyHeader, elements: Int) {
        let start = bytes.startIndex
        guard bytes.count >= 10, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
            throw ArchiveError(.malformed, place, "not an .npy array")
        }
        let version = bytes[start + 6]
        let length: Int?
        switch version {
        case 1: length = bytes.uint16(at: start + 8).map { Int($0) }
        case 2, 3: length = bytes.uint32(at: start + 8).map { Int($0) }
        default: throw ArchiveError(.unsupported, place, "version \(version) of the .npy format")
        }
        let textStart = start + (version == 1 ? 10 : 12)
        guard let length, bytes.endIndex - textStart >= length else {
            throw ArchiveError(.malformed, place, "the array's header is cut short")
        }
        let elements = textStart + length
        var parser = PythonLiteralParser(bytes[textStart..<elements])
        guard case .dictionary(let fields) = parser.parse(),
            Set(fields.keys) == ["descr", "fortran_order", "shape"],
            let type = fields["descr"], case .boolean(let isFortranOrder) = fields["fortran_order"],
            case .sequence(let extents) = fields["shape"]
        else { throw ArchiveError(.malformed, place, "cannot make sense of the array's header") }
        guard case .string(let typeString) = type else {
            throw ArchiveError(.unsupported, place, "an array of records; store one array per field")
        }
        var shape: [Int] = []
        for extent in extents {
            guard case .integer(let value) = extent, value >= 0 else {
                throw ArchiveError(.malformed, place, "an array's extents must be integers from 0")
            }
            shape.append(value)
        }
        return (NpyHeader(typeString: typeString, isFortranOrder: isFortranOrder, shape: shape), elements)
    }

    /// The header in format 1.0, padded so that the elements start at a multiple of 64 bytes.
    var encoded: [UInt8] {
        let extents = shape.map { "\($0)," }.joined(separator: " ")
        // NumPy writes (2, 3) but (2,): a comma at the end is needed for one extent only.
        let tuple = shape.count == 1 ? extents : String(extents.dropLast())
        let text =
            "{'descr': '\(typeString)', 'fortran_order': \(isFortranOrder ? "True" : "False"), 'shape': (\(tuple)), }"
        let padding = (64 - (10 + text.utf8.count + 1) % 64) % 64
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
        bytes.append(littleEndian: UInt16(truncatingIfNeeded: text.utf8.count + padding + 1))
        bytes += Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0A]
        return bytes
    }
}

/// Reads the few Python literals that occur in `.npy` headers; anything else gives nil.
struct PythonLiteralParser {
    enum Value: Sendable, Hashable {
        case string(String), integer(Int), boolean(Bool), sequence([Value]), dictionary([String: Value])
    }

    /// Far beyond what any header nests, and far below what would exhaust the stack.
    private static let deepest = 16

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The one value that the whole text is.
    mutating func parse() -> Value? {
        let value = parseValue(depth: 0)
        skipSpace()
        return position == bytes.endIndex ? value : nil
    }

    private mutating func parseValue(depth: Int) -> Value? {
        skipSpace()
        guard depth < Self.deepest, position < bytes.endIndex else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "{"): return parseDictionary(depth: depth)
        case UInt8(ascii: "("): return parseSequence(closing: UInt8(ascii: ")"), depth: depth)
        case UInt8(ascii: "["): return parseSequence(closing: UInt8(ascii: "]"), depth: depth)
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return parseString().map { .string($0) }
        default: return parseWord()
        }
    }

    private mutating func parseDictionary(depth: Int) -> Value? {
        position += 1
        var fields: [String: Value] = [:]
        while !take(UInt8(ascii: "}")) {
            guard let key = parseString(), take(UInt8(ascii: ":")), let value = parseValue(depth: depth + 1),
                fields.updateValue(value, forKey: key) == nil
            else { return nil }
            if !take(UInt8(ascii: ",")) {
                guard take(UInt8(ascii: "}")) else { return nil }
                break
            }
        }
        return .dictionary(fields)
    }

    private mutating func parseSequence(closing: UInt8, depth: Int) -> Value? {
        position += 1
        var values: [Value] = []
        while !take(closing) {
            guard let value = parseValue(depth: depth + 1) else { return nil }
            values.append(value)
            if !take(UInt8(ascii: ",")) {
                guard take(closing) else { return nil }
                break
            }
        }
        return .sequence(values)
    }

    private mutating func parseString() -> String? {
        skipSpace()
        guard position < bytes.endIndex else { return nil }
        let quote = bytes[position]
        guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        let rest = bytes[(position + 1)...]
        guard let end = rest.firstIndex(of: quote), !rest[..<end].contains(UInt8(ascii: "\\")) else {
            return nil
        }
        position = end + 1
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    private mutating func parseWord() -> Value? {
        let word = bytes[position...].prefix { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        }
        position = word.endIndex
        let text = String(decoding: word, as: UTF8.self)
        switch text {
        case "True": return .boolean(true)
        case "False": return .boolean(false)
        // Python 2 wrote long integers with an L.
        default: return Int(text.hasSuffix("L") ? String(text.dropLast()) : text).map { .integer($0) }
        }
    }

    /// Steps over `byte` if it comes next.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.endIndex, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.endIndex, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }
}
