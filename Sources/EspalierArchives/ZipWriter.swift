/// Builds a zip archive in memory. The same members give the same bytes: no clock enters.
struct ZipWriter {
    private let place: String
    private var bytes: [UInt8] = []
    private var directory: [UInt8] = []
    private var names: Set<String> = []

    init(place: String) {
        self.place = place
    }

    /// Adds a member, deflated if that is asked for and smaller.
    ///
    /// - Throws: ``ArchiveError`` `tooLarge` beyond 4 GiB or 65,534 members; `malformed` if the name is taken.
    mutating func add(_ name: String, _ contents: [UInt8], compressed: Bool) throws(ArchiveError) {
        let member = "\(place): \(name)"
        guard names.insert(name).inserted else {
            throw ArchiveError(.malformed, member, "two members of this name")
        }
        var data = contents[...]
        var method: UInt16 = 0
        if compressed {
            let deflated = try Deflate.compress(data, .raw, place: member)
            if deflated.count < contents.count { (data, method) = (deflated[...], 8) }
        }
        guard let offset = UInt32(exactly: bytes.count), let nameLength = UInt16(exactly: name.utf8.count),
            let size = UInt32(exactly: contents.count), let compressedSize = UInt32(exactly: data.count),
            bytes.count + data.count < Int(UInt32.max) - 1 << 20, names.count < Int(UInt16.max)
        else {
            throw ArchiveError(
                .tooLarge, member, "the archive would exceed what zip holds (4 GiB, 65,534 members)")
        }
        // What the header before the data and the directory entry have in common.
        var common: [UInt8] = []
        common.append(littleEndian: UInt16(20))  // version needed: 2.0, for deflate
        common.append(littleEndian: UInt16(1 << 11))  // names are UTF-8
        common.append(littleEndian: method)
        common.append(littleEndian: UInt16(0))  // midnight
        common.append(littleEndian: UInt16(1 << 5 | 1))  // of 1 January 1980, the format's first day
        common.append(littleEndian: Deflate.checksum(contents))
        common.append(littleEndian: compressedSize)
        common.append(littleEndian: size)
        common.append(littleEndian: nameLength)
        common.append(littleEndian: UInt16(0))  // no extra fields

        bytes.append(littleEndian: UInt32(0x0403_4B50))
        bytes += common + Array(name.utf8) + data

        directory.append(littleEndian: UInt32(0x0201_4B50))
        directory.append(littleEndian: UInt16(20))  // made by version 2.0
        directory += common
        directory += [UInt8](repeating: 0, count: 10)  // no comment, disk 0, no attributes
        directory.append(littleEndian: offset)
        directory += Array(name.utf8)
    }

    /// The whole archive.
    func finished() throws(ArchiveError) -> [UInt8] {
        guard let offset = UInt32(exactly: bytes.count), offset < .max,
            let length = UInt32(exactly: directory.count), let count = UInt16(exactly: names.count)
        else { throw ArchiveError(.tooLarge, place, "the archive would exceed what zip holds") }
        var archive = bytes + directory
        archive.append(littleEndian: UInt32(0x0605_4B50))
        archive.append(littleEndian: UInt32(0))  // disk 0 of 0
        archive.append(littleEndian: count)
        archive.append(littleEndian: count)
        archive.append(littleEndian: length)
        archive.append(littleEndian: offset)
        archive.append(littleEndian: UInt16(0))  // no comment
        return archive
    }
}
