import COnnxRuntime
import Foundation

/// ONNX Runtime, loaded from a library file while the program runs.
///
/// Belongs, like the sessions it makes, to one thread at a time.
package final class OnnxRuntimeLibrary {
    let handle: OpaquePointer
    /// The file that was loaded.
    package let path: String
    /// Such as `1.32.0`.
    package let version: String

    /// - Throws: ``OnnxRuntimeError`` if the file cannot be loaded, is no ONNX Runtime, or is older than 1.8.
    package init(path: String) throws(OnnxRuntimeError) {
        handle = try OnnxRuntimeError.checking("\(path)") { message, capacity in
            espalier_ort_open(path, message, capacity)
        }
        self.path = path
        version = String(cString: espalier_ort_version(handle))
    }

    deinit { espalier_ort_close(handle) }

    /// Library files where pip and packages of systems put them, the most likely first.
    package static func installedPaths() -> [String] {
        let environment = ProcessInfo.processInfo.environment
        let home = NSHomeDirectory()
        var prefixes = ["VIRTUAL_ENV", "CONDA_PREFIX"].compactMap { environment[$0] }
        prefixes += ["\(home)/.local", "\(home)/.pyenv/versions/*", "/usr/local", "/usr", "/opt/homebrew"]
        let fromPip = prefixes.flatMap { prefix in
            ["site-packages", "dist-packages"].flatMap { packages in
                files(matching: "\(prefix)/lib/python3*/\(packages)/onnxruntime/capi/libonnxruntime.*")
            }
        }
        let folders = ["/usr/local/lib", "/usr/lib", "/usr/lib/*-linux-gnu", "/opt/homebrew/lib"]
        return fromPip + folders.flatMap { files(matching: "\($0)/libonnxruntime.*") }
    }

    /// The files of a pattern with `*`, the highest version first.
    private static func files(matching pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
            .filter { $0.contains(".so") || $0.hasSuffix(".dylib") }
            .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
    }
}

/// What ONNX Runtime, or the system's loader, refused.
package struct OnnxRuntimeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The library or model that it is about.
    package let place: String
    package let reason: String

    package var description: String { "\(place): \(reason)" }

    /// Messages are cut there.
    private static let messageCapacity = 1024

    /// What `body` gives, or an error with what it wrote to its message if that is nil.
    static func checking<Result>(
        _ place: String, _ body: (UnsafeMutablePointer<CChar>, Int) -> Result?
    ) throws(OnnxRuntimeError) -> Result {
        // On the stack, and cleared only at its beginning: a run of the peer is to cost what it costs.
        let outcome = withUnsafeTemporaryAllocation(of: CChar.self, capacity: messageCapacity) {
            message -> Swift.Result<Result, OnnxRuntimeError> in
            guard let start = message.baseAddress else {
                return .failure(OnnxRuntimeError(place: place, reason: "no memory for its messages"))
            }
            start.initialize(to: 0)
            if let result = body(start, messageCapacity) { return .success(result) }
            return .failure(OnnxRuntimeError(place: place, reason: String(cString: start)))
        }
        return try outcome.get()
    }
}
