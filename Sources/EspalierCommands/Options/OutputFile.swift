import EspalierArchives
import Foundation

/// Files that commands write besides models.
enum OutputFile {
    /// Replaces the file at `path`, all or nothing.
    ///
    /// - Throws: ``ArchiveError`` `unwritable`.
    static func write(_ text: String, to path: String) throws {
        try FileBytes.write(Array(text.utf8), to: path)
    }

    /// Refuses a path to write to that cannot work, before hours of computing go into what should stand there.
    ///
    /// - Throws: ``CommandFailure``.
    static func check(_ path: String, isNot input: String? = nil) throws {
        let url = URL(fileURLWithPath: path)
        var isDirectory: ObjCBool = false
        let folder = url.deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue
        else { throw CommandFailure("\(path): there is no folder '\(folder)'; make it first") }
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw CommandFailure("\(path): is a folder; name a file in it")
        }
        if let input, url.resolvingSymlinksInPath() == URL(fileURLWithPath: input).resolvingSymlinksInPath() {
            throw CommandFailure("\(path): the input is never overwritten; choose another name")
        }
    }
}

/// Something that a command finds wrong itself: one sentence for the user.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
