import EspalierArchives
import Foundation

/// Files that commands read besides models and data.
enum InputFile {
    /// What `parse` makes of the file at `path`, which is named if anything is wrong with it.
    ///
    /// - Throws: ``ArchiveError`` `unreadable`; ``CommandFailure``.
    static func read<Value>(_ path: String, _ parse: (Data) throws -> Value) throws -> Value {
        let bytes = Data(try FileBytes.read(path))
        do { return try parse(bytes) } catch { throw CommandFailure("\(path): \(error)") }
    }
}
