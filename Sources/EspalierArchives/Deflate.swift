import CZlib

/// The deflate compression of zip and gzip (RFC 1951, 1952), by zlib.
package enum Deflate {
    /// What surrounds the compressed data.
    package enum Container: Sendable {
        case raw, gzip

        /// zlib's `windowBits`: the largest window, negative for no header at all, plus 16 for gzip's.
        fileprivate var windowBits: Int32 { self == .raw ? -15 : 15 + 16 }
    }

    /// What to do with output beyond a limit.
    package enum Excess: Sendable {
        case refused, cut
    }

    /// Deflate cannot shrink data to less than this share: what claims to grow more than that is a lie.
    package static let largestRatio = 1032

    /// The decompressed bytes, of which there may be `limit`.
    ///
    /// Memory grows with what is really there, never with what a header claims. With `.cut` the first `limit`
    /// bytes are returned and the rest is not looked at.
    ///
    /// - Throws: ``ArchiveError`` `malformed` for broken or truncated data, wrong checksums and bytes after the
    ///   end; `tooLarge` beyond a limit that refuses.
    package static func decompress(
        _ bytes: ArraySlice<UInt8>, _ container: Container, limit: Int, beyond excess: Excess = .refused,
        place: String
    ) throws(ArchiveError) -> [UInt8] {
        let stream = try ZlibStream(.inflating(container.windowBits), place: place)
        return try bytes.withUnsafeBufferPointer { (input) throws(ArchiveError) in
            var output: [UInt8] = []
            var consumed = 0
            while true {
                let step = try stream.inflate(input, from: &consumed, into: &output)
                if output.count > limit {
                    if excess == .cut { return Array(output.prefix(limit)) }
                    throw ArchiveError(
                        .tooLarge, place, "decompresses to more than the \(limit) bytes expected")
                }
                switch step {
                case .more: continue
                case .starved: throw ArchiveError(.malformed, place, "compressed data ends too early")
                case .finished:
                    if consumed == input.count { return output }
                    // Files of several gzip members, one behind the other, are allowed (RFC 1952, 2.2).
                    guard container == .gzip else {
                        throw ArchiveError(.malformed, place, "bytes after the end of the compressed data")
                    }
                    try stream.restart()
                }
            }
        }
    }

    /// `bytes` compressed at zlib's default level.
    ///
    /// - Throws: ``ArchiveError`` `tooLarge` if zlib cannot get its memory.
    package static func compress(
        _ bytes: ArraySlice<UInt8>, _ container: Container, place: String
    ) throws(ArchiveError) -> [UInt8] {
        let stream = try ZlibStream(.deflating(container.windowBits), place: place)
        return try bytes.withUnsafeBufferPointer { (input) throws(ArchiveError) in
            var output: [UInt8] = []
            var consumed = 0
            while try !stream.deflate(input, from: &consumed, into: &output) {}
            return output
        }
    }

    /// Whether `bytes` start as a gzip file does.
    package static func isGzip(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.starts(with: [0x1F, 0x8B])
    }

    /// The checksum of zip and gzip.
    package static func checksum(_ bytes: some Collection<UInt8>) -> UInt32 {
        let sum = bytes.withContiguousStorageIfAvailable { crc32_z(0, $0.baseAddress, $0.count) }
        return UInt32(
            truncatingIfNeeded: sum
                ?? Array(bytes).withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) })
    }
}

/// zlib's stream at a fixed address, which zlib insists on, with memory for one piece of output.
private final class ZlibStream {
    enum Direction {
        case inflating(_ windowBits: Int32), deflating(_ windowBits: Int32)
    }

    enum Step {
        case more, finished, starved
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let piece: UnsafeMutableBufferPointer<UInt8>
    private let release: (UnsafeMutablePointer<z_stream>) -> Int32
    private let place: String

    init(_ direction: Direction, place: String) throws(ArchiveError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        let status: Int32
        switch direction {
        case .inflating(let windowBits):
            status = inflateInit2_(stream, windowBits, ZLIB_VERSION, size)
            release = inflateEnd
        case .deflating(let windowBits):
            status = deflateInit2_(
                stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                size)
            release = deflateEnd
        }
        self.stream = stream
        self.place = place
        piece = .allocate(capacity: 1 << 17)
        guard status == Z_OK else {
            throw ArchiveError(.tooLarge, place, "zlib cannot start (code \(status))")
        }
    }

    deinit {
        // Harmless on a stream that did not start: zlib finds no state and says so.
        _ = release(stream)
        stream.deallocate()
        piece.deallocate()
    }

    /// Inflates the next piece; moves `consumed` over the input used.
    func inflate(
        _ input: UnsafeBufferPointer<UInt8>, from consumed: inout Int, into output: inout [UInt8]
    ) throws(ArchiveError) -> Step {
        let before = consumed
        let (status, produced) = step(input, from: &consumed, into: &output) { CZlib.inflate($0, Z_NO_FLUSH) }
        switch status {
        case Z_STREAM_END: return .finished
        case Z_OK where produced > 0 || consumed > before: return .more
        case Z_OK, Z_BUF_ERROR: return .starved
        case Z_MEM_ERROR: throw ArchiveError(.tooLarge, place, "zlib is out of memory")
        default:
            let detail = stream.pointee.msg.map { String(cString: $0) } ?? "zlib code \(status)"
            throw ArchiveError(.malformed, place, "not valid compressed data (\(detail))")
        }
    }

    /// Deflates the next piece; true when all is written.
    func deflate(
        _ input: UnsafeBufferPointer<UInt8>, from consumed: inout Int, into output: inout [UInt8]
    ) throws(ArchiveError) -> Bool {
        let last = input.count - consumed <= Self.largestInput
        let (status, _) = step(input, from: &consumed, into: &output) {
            CZlib.deflate($0, last ? Z_FINISH : Z_NO_FLUSH)
        }
        guard status >= Z_OK || status == Z_BUF_ERROR else {
            throw ArchiveError(.tooLarge, place, "zlib cannot compress (code \(status))")
        }
        return status == Z_STREAM_END
    }

    /// Makes ready for another stream behind the one that finished.
    func restart() throws(ArchiveError) {
        guard inflateReset(stream) == Z_OK else { throw ArchiveError(.malformed, place, "zlib cannot go on") }
    }

    /// zlib counts its input in 32 bits.
    private static let largestInput = 1 << 30

    private func step(
        _ input: UnsafeBufferPointer<UInt8>, from consumed: inout Int, into output: inout [UInt8],
        _ advance: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> (status: Int32, produced: Int) {
        let available = min(input.count - consumed, Self.largestInput)
        // zlib reads only: the pointer is mutable for want of a `const` in its header.
        stream.pointee.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0 + consumed) }
        stream.pointee.avail_in = UInt32(available)
        stream.pointee.next_out = piece.baseAddress
        stream.pointee.avail_out = UInt32(piece.count)
        let status = advance(stream)
        consumed += available - Int(stream.pointee.avail_in)
        let produced = piece.count - Int(stream.pointee.avail_out)
        output.append(contentsOf: piece.prefix(produced))
        return (status, produced)
    }
}
