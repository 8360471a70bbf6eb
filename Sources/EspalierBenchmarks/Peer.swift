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

    private static func output(_ arguments: [String]) -> Data? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return nil }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? data : nil
    }
}
