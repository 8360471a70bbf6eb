import Foundation

/// PyTorch and ONNX Runtime, through the script that times them in a process of their own.
struct Peer {
    private static let script = "Tools/bench/peers.py"

    /// Versions by name, of what is installed.
    static func installed() -> [String: String] {
        guard let data = output(["installed"]),
            let found = try? JSONDecoder().decode([String: String?].self, from: data)
        else { return [:] }
        return found.compactMapValues { $0 }
    }

    /// One measurement; nil if the peer cannot do it.
    static func measure(_ arguments: [String], key: String) -> Double? {
        output(arguments).flatMap { try? JSONDecoder().decode([String: Double].self, from: $0)[key] }
    }

    private static let boundScript = "Tools/bench/auto_lirpa.py"
    /// auto_LiRPA wants an older PyTorch than the other measurements.
    private static let boundPython = ProcessInfo.processInfo.environment["ESPALIER_LIRPA_PYTHON"] ?? "python3"

    /// The version of auto_LiRPA; nil if it is not installed, or not with a PyTorch that it runs with.
    static func installedBounds() -> String? {
        output(["installed"], python: boundPython, script: boundScript)
            .flatMap { try? JSONDecoder().decode([String: String].self, from: $0)["auto_lirpa"] }
    }

    /// Its bounds of what `folder` holds.
    static func bounds(
        _ architecture: String, _ folder: URL, radius: Double, _ method: String, batch: Int
    ) -> CertificateThroughput.Result? {
        output(
            [architecture, folder.path, "\(radius)", method, "\(batch)"], python: boundPython,
            script: boundScript
        ).flatMap { try? JSONDecoder().decode(CertificateThroughput.Result.self, from: $0) }
    }

    private static func output(
        _ arguments: [String], python: String = "python3", script: String = script
    ) -> Data? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, script] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return nil }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? data : nil
    }
}
