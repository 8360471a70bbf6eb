import EspalierTensors
import Foundation

/// The built program itself, which lies beside the tests' own executable.
enum Program {
    static let url = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(
        path: "espalier")

    /// Runs it to its end.
    static func run(_ arguments: [String], environment: [String: String?] = [:]) throws -> ToolResult {
        try run(url, arguments, environment: environment)
    }

    /// Runs it and presses Ctrl-C when it has said `words` on standard error.
    static func run(_ arguments: [String], interruptedAfter words: String) throws -> ToolResult {
        try run(url, arguments, interruptedAfter: words)
    }

    /// Runs any program.
    ///
    /// - Parameter environment: what is other than in this process; nil takes a variable away.
    static func run(
        _ program: URL, _ arguments: [String], environment: [String: String?] = [:],
        interruptedAfter words: String? = nil
    ) throws -> ToolResult {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(environment.compactMapValues(\.self)) { $1 }
            .filter { variable, _ in environment[variable] != .some(nil) }
        // A file for one of the streams, so that neither can fill up while the other is read.
        let outputFile = URL(filePath: folder("output"))
        try Data().write(to: outputFile)
        let error = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = error
        try process.run()
        var complaints = Data()
        var wasInterrupted = false
        while true {
            let part = error.fileHandleForReading.availableData
            if part.isEmpty { break }
            complaints += part
            if let words, !wasInterrupted, String(decoding: complaints, as: UTF8.self).contains(words) {
                process.interrupt()
                wasInterrupted = true
            }
        }
        process.waitUntilExit()
        return ToolResult(
            code: process.terminationStatus, output: try String(contentsOf: outputFile, encoding: .utf8),
            error: String(decoding: complaints, as: UTF8.self))
    }

    /// Runs the program and kills it at random moments, up to six times or until it ends by itself.
    ///
    /// - Returns: how often it was killed.
    static func killAgainAndAgain(
        _ arguments: [String], files: URL, random: inout RandomSource
    ) throws -> Int {
        for kills in 0..<6 {
            let changes = Int.random(in: 1...5, using: &random)
            guard try kill(arguments, afterChanges: changes, in: files) else { return kills }
        }
        return 6
    }

    /// Runs the program and kills it when files below a folder have been written or rewritten so many times.
    ///
    /// - Returns: false if it ended first.
    static func kill(_ arguments: [String], afterChanges count: Int, in folder: URL) throws -> Bool {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        func states() -> Set<String> {
            let files = FileManager.default.enumerator(
                at: folder, includingPropertiesForKeys: [.contentModificationDateKey, .isRegularFileKey])
            var states: Set<String> = []
            for case let file as URL in files ?? .init() {
                let values = try? file.resourceValues(forKeys: [
                    .contentModificationDateKey, .isRegularFileKey,
                ])
                guard values?.isRegularFile == true, let date = values?.contentModificationDate else {
                    continue
                }
                states.insert("\(file.path) \(date.timeIntervalSinceReferenceDate)")
            }
            return states
        }
        let known = states()
        // Waiting for the end between looks leaves the processor to what is looked at.
        let end = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in end.signal() }
        try process.run()
        var seen: Set<String> = []
        while seen.count < count, end.wait(timeout: .now() + .milliseconds(1)) == .timedOut {
            seen.formUnion(states().subtracting(known))
        }
        // A number of a process that has ended may be another's by now.
        let isRunning = process.isRunning
        if isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return isRunning
    }
}
