import EspalierArchives
import EspalierCommands
import EspalierTensors
import Foundation
import Synchronization
import Testing

/// What one call of the tool said.
struct ToolResult {
    let code: Int32
    let output: String
    let error: String

    /// The document on standard output.
    func document() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }
}

/// Runs the tool in this process.
func tool(_ arguments: String...) -> ToolResult {
    tool(arguments)
}

/// What the tool measures while tests run side by side is no calibration: it goes into a folder of its own.
private let usesOwnCache: Void = {
    let folder = FileManager.default.temporaryDirectory.appending(path: "espalier-test-cache").path
    setenv("XDG_CACHE_HOME", folder, 1)
}()

/// Runs the tool in this process.
func tool(_ arguments: [String]) -> ToolResult {
    _ = usesOwnCache
    let output = Mutex("")
    let error = Mutex("")
    let invocation = Invocation(
        arguments: arguments, output: { text in output.withLock { $0 += text } },
        error: { text in error.withLock { $0 += text } })
    let code = EspalierCommand.execute(invocation)
    return ToolResult(code: code, output: output.withLock { $0 }, error: error.withLock { $0 })
}

/// Files that Tools/goldens/command_fixtures.py wrote.
enum Fixture {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// What ONNX Runtime computed.
    static func expected(_ name: String) throws -> Tensor {
        try NpzArchive(contentsOf: path("expected.npz")).tensor(name)
    }
}

/// A folder that is removed with all that is in it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "espalier-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var name: String { URL(filePath: path).lastPathComponent }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}

/// The largest absolute difference of two tensors of one shape.
func difference(_ one: Tensor, _ other: Tensor) throws -> Double {
    try #require(one.shape == other.shape)
    return zip(one.scalars(as: Double.self), other.scalars(as: Double.self)).map { abs($0 - $1) }.max() ?? 0
}
