/// The members of a zip archive in memory (PKWARE APPNOTE 6.3), stored or deflated.
///
/// Only the central directory is believed, and only as far as it agrees with the bytes: every offset and size is
/// checked against the archive before use. Archives beyond 4 GiB (zip64), encryption and other compression methods
/// are refused.
struct ZipReader: Sendable {
    struct Member: Sendable {
        let name: String
        let method: UInt16
        let checksum: UInt32
        let compressedSize: Int
        let size: Int
        let headerOffset: Int
    }

    let place: String
    private let bytes: [UInt8]
    private(set) var members: [Member] = []

    init(_ bytes: [UInt8], place: String) throws(ArchiveError) {
        self.bytes = bytes
        self.place = place
        let (position, count) = try findDirectory()
        var next = position
        for _ in 0..<count { members.append(try readMember(at: &next)) }
        guard Set(members.map(\.name)).count == count else {
            throw ArchiveError(.malformed, place, "two members of the archive have the same name")
        }
    }

    /// The decompressed bytes of `member`.
    ///
    /// - Throws: ``ArchiveError`` `malformed` if the data, its size or its checksum is wrong.
    func contents(of member: Member) throws(ArchiveError) -> [UInt8] {
        let place = "\(place): \(member.name)"
        guard bytes.uint32(at: member.headerOffset) == 0x0403_4B50,
            let nameLength = bytes.uint16(at: member.headerOffset + 26),
            let extraLength = bytes.uint16(at: member.headerOffset + 28)
        else { throw ArchiveError(.malformed, place, "no member where the archive's directory says") }
        let start = member.headerOffset + 30 + Int(nameLength) + Int(extraLength)
        guard start <= bytes.count, bytes.count - start >= member.compressedSize else {
            throw ArchiveError(.malformed, place, "reaches beyond the end of the archive")
        }
        let data = bytes[start..<(start + member.compressedSize)]
        let contents: [UInt8]
        switch member.method {
        case 0: contents = Array(data)
        case 8: contents = try Deflate.decompress(data, .raw, limit: member.size, place: place)
        default:
            throw ArchiveError(
                .unsupported, place, "compression method \(member.method); use stored or deflate")
        }
        guard contents.count == member.size else {
            throw ArchiveError(
                .malformed, place, "\(contents.count) bytes where \(member.size) are announced")
        }
        guard Deflate.checksum(contents) == member.checksum else {
            throw ArchiveError(.malformed, place, "wrong checksum: the file is damaged")
        }
        return contents
    }

    /// Where the central directory starts and how many members it lists, from the record at the archive's end.
    private func findDirectory() throws(ArchiveError) -> (position: Int, count: Int) {
        // The record has 22 bytes and then a comment of up to 65,535, so it has to be searched for.
        let earliest = max(0, bytes.count - 22 - 0xFFFF)
        for position in stride(from: bytes.count - 22, through: earliest, by: -1)
        where bytes.uint32(at: position) == 0x0605_4B50 {
            guard let commentLength = bytes.uint16(at: position + 20),
                position + 22 + Int(commentLength) == bytes.count,
                let count = bytes.uint16(at: position + 10), let offset = bytes.uint32(at: position + 16)
            else { continue }
            if count == .max || offset == .max {
                throw ArchiveError(.unsupported, place, "a zip64 archive (over 4 GiB or 65,534 members)")
            }
            guard Int(offset) <= position else { break }
            return (Int(offset), Int(count))
        }
        throw ArchiveError(.malformed, place, "not a zip archive, or cut short")
    }

    private func readMember(at position: inout Int) throws(ArchiveError) -> Member {
        guard bytes.uint32(at: position) == 0x0201_4B50,
            let flags = bytes.uint16(at: position + 8), let method = bytes.uint16(at: position + 10),
            let checksum = bytes.uint32(at: position + 16),
            let compressedSize = bytes.uint32(at: position + 20), let size = bytes.uint32(at: position + 24),
            let nameLength = bytes.uint16(at: position + 28),
            let extraLength = bytes.uint16(at: position + 30),
            let commentLength = bytes.uint16(at: position + 32), let offset = bytes.uint32(at: position + 42),
            bytes.count - position - 46 >= Int(nameLength)
        else { throw ArchiveError(.malformed, place, "the archive's directory is damaged") }
        let name = String(decoding: bytes[(position + 46)..<(position + 46 + Int(nameLength))], as: UTF8.self)
        let member = "\(place): \(name)"
        if flags & 1 != 0 { throw ArchiveError(.unsupported, member, "is encrypted") }
        if compressedSize == .max || size == .max || offset == .max {
            throw ArchiveError(.unsupported, member, "over 4 GiB (zip64)")
        }
        if Int(size) > Deflate.largestRatio * (Int(compressedSize) + 1) {
            throw ArchiveError(
                .malformed, member, "claims \(size) bytes in \(compressedSize) compressed ones")
        }
        position += 46 + Int(nameLength) + Int(extraLength) + Int(commentLength)
        return Member(
            name: name, method: method, checksum: checksum, compressedSize: Int(compressedSize),
            size: Int(size),
            headerOffset: Int(offset))
    }
}
