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

    /// Refuses paths to write to that cannot work, before hours of computing go into what should stand there.
    ///
    /// - Parameters:
    ///   - outputs: all files that a command writes; nil for those that are not wanted.
    ///   - inputs: all files that it reads, which must not be lost, nor what lies beside them by the names that are usual for
    ///     a model's external data.
    /// - Throws: ``CommandFailure``.
    static func check(_ outputs: [String?], areNot inputs: [String?] = []) throws(CommandFailure) {
        let read = Set(inputs.compactMap { $0 }.flatMap { [$0] + externalData(of: $0) }.map { place(of: $0) })
        var written: Set<String> = []
        for path in outputs.compactMap({ $0 }) {
            try check(path)
            let place = place(of: path)
            guard !read.contains(place) else {
                throw CommandFailure("\(path): the input is never overwritten; choose another name")
            }
            guard written.insert(place).inserted else {
                throw CommandFailure("\(path): would be written twice; choose another name for one of them")
            }
        }
    }

    /// The files that are there by the names that exporters give to the external data of a model at `path`.
    private static func externalData(of path: String) -> [String] {
        ["\(path).data", "\(path)_data"].filter { FileManager.default.fileExists(atPath: $0) }
    }

    private static func check(_ path: String) throws(CommandFailure) {
        let url = URL(fileURLWithPath: path)
        var isDirectory: ObjCBool = false
        let folder = url.deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue
        else { throw CommandFailure("\(path): there is no folder '\(folder)'; make it first") }
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw CommandFailure("\(path): is a folder; name a file in it")
        }
        // A file that is there is replaced, so that it is its folder that must be open to us.
        guard access(folder, W_OK | X_OK) == 0 else {
            throw CommandFailure("\(path): the folder '\(folder)' cannot be written to; choose another one")
        }
    }

    /// The file that a path leads to, symbolic links followed; of one that is not there yet, its folder is.
    private static func place(of path: String) -> String {
        let url = URL(fileURLWithPath: path)
        return resolved(url.path)
            ?? (resolved(url.deletingLastPathComponent().path) ?? "") + "/" + url.lastPathComponent
    }

    private static func resolved(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }
}

/// Something that a command finds wrong itself: one sentence for the user.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
