internal import EspalierArchives
internal import EspalierTensors

/// The format of MNIST's files: a big-endian header of type and extents, then the elements.
enum IDX {
    /// The tensor in the file at `path`, compressed with gzip or not.
    ///
    /// - Throws: ``DataError`` `unreadable` or `malformed`. The header's extents are compared with the size of the
    ///   file (for a compressed one: with what it could expand to) before memory is allocated.
    static func read(_ path: String) throws(DataError) -> Tensor {
        try translatingArchiveErrors { () throws(ArchiveError) in
            let file = try FileBytes.read(path)
            guard Deflate.isGzip(file) else { return try decode(file[...], place: path) }
            let start = try Deflate.decompress(
                file[...], .gzip, limit: longestHeader, beyond: .cut, place: path)
            let size = try Header(start[...], place: path).fileSize
            guard size <= Deflate.largestRatio * file.count else {
                throw ArchiveError(
                    .malformed, path,
                    "its header claims \(size) bytes, more than \(file.count) compressed ones hold")
            }
            return try decode(
                Deflate.decompress(file[...], .gzip, limit: size, place: path)[...], place: path)
        }
    }

    /// The tensor that `bytes`, a whole file, hold.
    static func decode(_ bytes: ArraySlice<UInt8>, place: String) throws(ArchiveError) -> Tensor {
        let header = try Header(bytes, place: place)
        guard header.fileSize == bytes.count else {
            throw ArchiveError(
                .malformed, place,
                "\(bytes.count) bytes, where \(header.dtype.rawValue) in shape \(header.shape) needs \(header.fileSize)"
            )
        }
        return Tensor(shape: header.shape, dtype: header.dtype) { target in
            bytes.dropFirst(header.byteCount).withUnsafeBytes { target.copyMemory(from: $0) }
            let size = header.dtype.byteCount
            if size > 1 {
                for start in stride(from: 0, to: target.count, by: size) {
                    target[start..<(start + size)].reverse()
                }
            }
        }
    }

    /// The format allows 255 axes; nobody has more than a handful.
    private static let mostAxes = 8
    private static let longestHeader = 4 + 4 * mostAxes

    private struct Header {
        let dtype: DType
        let shape: Shape
        let byteCount: Int
        /// The size that the whole file must have.
        let fileSize: Int

        init(_ bytes: ArraySlice<UInt8>, place: String) throws(ArchiveError) {
            let bytes = Array(bytes.prefix(longestHeader))
            guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else {
                throw ArchiveError(.malformed, place, "not a file in IDX format")
            }
            let types: [UInt8: DType] = [
                0x08: .uint8, 0x09: .int8, 0x0B: .int16, 0x0C: .int32, 0x0D: .float32, 0x0E: .float64,
            ]
            guard let dtype = types[bytes[2]] else {
                throw ArchiveError(.malformed, place, "unknown element type \(bytes[2]) in the IDX header")
            }
            let rank = Int(bytes[3])
            byteCount = 4 + 4 * rank
            guard (1...mostAxes).contains(rank), bytes.count >= byteCount else {
                throw ArchiveError(.malformed, place, "\(rank) axes, or the header is cut short")
            }
            let extents = (0..<rank).map { axis in
                bytes[(4 + 4 * axis)..<(8 + 4 * axis)].reduce(0) { $0 << 8 | Int($1) }
            }
            shape = Shape(extents)
            self.dtype = dtype
            guard let count = shape.checkedCount() else {
                throw ArchiveError(.malformed, place, "impossible shape \(shape) in the IDX header")
            }
            fileSize = byteCount + count * dtype.byteCount
        }
    }
}
