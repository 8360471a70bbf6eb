package import EspalierTensors

/// A NumPy `.npz` archive: named arrays.
package struct NpzArchive: Sendable {
    /// The names of the arrays, in the archive's order, without the `.npy` that each has as a member.
    package let names: [String]

    private let zip: ZipReader

    /// Opens the archive at `path`; no array is decompressed yet.
    ///
    /// - Throws: ``ArchiveError``.
    package init(contentsOf path: String) throws(ArchiveError) {
        try self.init(FileBytes.read(path), place: path)
    }

    /// Opens the archive that `bytes` are; `place` names it in errors.
    package init(_ bytes: [UInt8], place: String) throws(ArchiveError) {
        zip = try ZipReader(bytes, place: place)
        names = zip.members.map { Self.arrayName($0.name) }
    }

    /// The array `name`.
    ///
    /// - Throws: ``ArchiveError`` `missing` if there is none; otherwise as ``Npy/decode(_:place:)``.
    package func tensor(_ name: String) throws(ArchiveError) -> Tensor {
        guard let member = zip.members.first(where: { Self.arrayName($0.name) == name }) else {
            throw ArchiveError(
                .missing, zip.place,
                "no array '\(name)'; there is \(names.map { "'\($0)'" }.joined(separator: ", "))")
        }
        return try Npy.decode(zip.contents(of: member)[...], place: "\(zip.place): \(name)")
    }

    private static func arrayName(_ member: String) -> String {
        member.hasSuffix(".npy") ? String(member.dropLast(4)) : member
    }
}

extension NpzArchive {
    /// `arrays` as an archive; equal arrays give equal bytes.
    ///
    /// - Throws: ``ArchiveError`` `malformed` if two have the same name, `tooLarge` beyond 4 GiB.
    package static func encode(
        _ arrays: [(name: String, tensor: Tensor)], compressed: Bool = false, place: String
    ) throws(ArchiveError) -> [UInt8] {
        var zip = ZipWriter(place: place)
        for array in arrays {
            try zip.add(array.name + ".npy", Npy.encode(array.tensor), compressed: compressed)
        }
        return try zip.finished()
    }

    /// Writes `arrays` to `path`, all or nothing; as ``encode(_:compressed:place:)``.
    package static func write(
        _ arrays: [(name: String, tensor: Tensor)], to path: String, compressed: Bool = false
    ) throws(ArchiveError) {
        try FileBytes.write(encode(arrays, compressed: compressed, place: path), to: path)
    }
}
