import Foundation

/// Whole files as arrays of bytes.
package enum FileBytes {
    /// The bytes of the file at `path`, read until its end whatever size it claims.
    ///
    /// - Throws: ``ArchiveError`` `unreadable`, with the system's reason.
    package static func read(_ path: String) throws(ArchiveError) -> [UInt8] {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            var bytes: [UInt8] = []
            while let part = try file.read(upToCount: 1 << 24), !part.isEmpty {
                bytes.append(contentsOf: part)
            }
            return bytes
        } catch {
            throw ArchiveError(.unreadable, path, "cannot read: \(reason(error))")
        }
    }

    /// Replaces the file at `path`, all or nothing: the bytes go to a temporary file which is then renamed.
    ///
    /// - Throws: ``ArchiveError`` `unwritable`, with the system's reason.
    package static func write(_ bytes: [UInt8], to path: String) throws(ArchiveError) {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ArchiveError(.unwritable, path, "cannot write: \(reason(error))")
        }
    }

    /// Foundation wraps the usual reasons in sentences about operations and files.
    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileNoSuchFile, .fileReadNoSuchFile: "there is no such file or folder"
        case .fileReadNoPermission, .fileWriteNoPermission: "permission denied"
        case .fileWriteOutOfSpace: "the disk is full"
        default: error.localizedDescription
        }
    }
}
