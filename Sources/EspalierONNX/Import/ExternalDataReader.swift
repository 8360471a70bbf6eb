import EspalierTensors

/// Reads tensors' data from files beside the model, and from nowhere else.
///
/// A model file is data from outside: a location in it must be relative, must not climb with "..", and must not
/// lead out of the model's folder through a symbolic link. Sizes are compared with the file's before anything
/// is allocated.
struct ExternalDataReader: Sendable {
    /// The folder that locations are relative to; nil for a model in memory that has none.
    let directory: String?
    /// Locations whose bytes are, for now, in another file: a model written but not yet renamed is read so.
    var substitutes: [String: String] = [:]

    /// One tensor's `external_data` entries, checked.
    struct Reference {
        var location: String
        var offset: Int
        var length: Int?

        init(_ entries: [StringStringEntryProto]) throws(ONNXError) {
            let entries = entries.dictionary
            guard let location = entries["location"], !location.isEmpty else {
                throw ONNXError(.externalData("no location is given; the file is damaged, export it again"))
            }
            func size(_ key: String) throws(ONNXError) -> Int? {
                guard let text = entries[key] else { return nil }
                guard let value = Int(text), value >= 0 else {
                    throw ONNXError(.externalData("\(key) '\(text)' is not a size; the file is damaged"))
                }
                return value
            }
            self.location = location
            offset = try size("offset") ?? 0
            length = try size("length")
        }
    }

    /// A tensor's data where they lie in the file, if they are many and lie so that kernels can use them.
    func mapped(
        _ entries: [StringStringEntryProto], byteCount: Int
    ) throws(ONNXError) -> AlignedStorage? {
        guard byteCount >= Self.leastMappedByteCount else { return nil }
        let reference = try Reference(entries)
        return try withFile(of: reference) { (file: borrowing ReadableFile) throws(ONNXError) in
            file.mapped(at: reference.offset, count: byteCount)
        }
    }

    private static let leastMappedByteCount = 64 << 10

    /// Fills `destination` with a tensor's data.
    func read(
        _ entries: [StringStringEntryProto], into destination: UnsafeMutableRawBufferPointer
    ) throws(ONNXError) {
        let reference = try Reference(entries)
        try withFile(of: reference) { (file: borrowing ReadableFile) throws(ONNXError) in
            try file.read(into: destination, at: reference.offset)
        }
    }

    /// The data of a tensor of a kind whose size cannot be told from its shape.
    func bytes(_ entries: [StringStringEntryProto]) throws(ONNXError) -> [UInt8] {
        let reference = try Reference(entries)
        return try withFile(of: reference) { (file: borrowing ReadableFile) throws(ONNXError) in
            // `withFile` has checked that these lie inside the file.
            let count = reference.length ?? (file.byteCount - reference.offset)
            return try file.bytes(at: reference.offset, count: count)
        }
    }

    /// Checks that a tensor's data are there: exactly `byteCount` where the entries tell a length, and inside the
    /// file in any case.
    func check(_ entries: [StringStringEntryProto], holds byteCount: Int) throws(ONNXError) {
        let reference = try Reference(entries)
        if let length = reference.length, length != byteCount {
            throw ONNXError(.wrongDataLength(expected: byteCount, found: length))
        }
        try withFile(of: reference) { (file: borrowing ReadableFile) throws(ONNXError) in
            let available = file.byteCount - reference.offset
            if available < byteCount {
                throw ONNXError(.wrongDataLength(expected: byteCount, found: available))
            }
        }
    }

    private func withFile<Result>(
        of reference: Reference, _ body: (borrowing ReadableFile) throws(ONNXError) -> Result
    ) throws(ONNXError) -> Result {
        let location = reference.location
        let path = try path(of: location)
        let file: ReadableFile
        do throws(ONNXError) {
            file = try ReadableFile(path: path)
        } catch {
            throw ONNXError(.externalData("'\(location)' \(error.reason)"))
        }
        let (end, overflow) = reference.offset.addingReportingOverflow(reference.length ?? 0)
        guard !overflow, end <= file.byteCount else {
            throw ONNXError(
                .externalData(
                    "'\(location)' has \(file.byteCount) bytes, but data are said to lie "
                        + "from \(reference.offset) on, \(reference.length ?? 0) bytes; "
                        + "copy the complete file beside the model"))
        }
        return try body(file)
    }

    /// The path of the file at `location`, after all checks.
    private func path(of location: String) throws(ONNXError) -> String {
        if let substitute = substitutes[location] { return substitute }
        guard let directory else {
            throw ONNXError(
                .externalData("'\(location)' is needed, but a model in memory has no folder; give one"))
        }
        // On bytes, not on characters: "/" and a combining accent are one character.
        let bytes = location.utf8
        let climbs = bytes.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
        guard bytes.first != UInt8(ascii: "/"), !climbs, !bytes.contains(0) else {
            throw ONNXError(
                .externalData("location '\(location)' is refused, as it may leave the model's folder"))
        }
        guard let root = resolvedPath(directory) else {
            throw ONNXError(.externalData("the folder '\(directory)' does not exist"))
        }
        guard let path = resolvedPath("\(root)/\(location)") else {
            throw ONNXError(.externalData("no file '\(location)' beside the model; copy it there"))
        }
        guard path.utf8.starts(with: root == "/" ? "/".utf8 : "\(root)/".utf8) else {
            throw ONNXError(
                .externalData(
                    "location '\(location)' is refused, as a symbolic link leads out of the model's folder; "
                        + "copy the file it points to beside the model"))
        }
        return path
    }
}
