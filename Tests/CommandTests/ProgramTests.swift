import Espalier
import Foundation
import Testing

/// The built program itself.
struct ProgramTests {
    /// Beside the tests' own executable.
    private static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(
            path: "espalier")

    private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> ToolResult {
        let process = Process()
        process.executableURL = Self.program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaints = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return ToolResult(code: process.terminationStatus, output: text, error: complaints)
    }

    @Test func exitCodesReachTheShell() throws {
        #expect(try run(["--version"]).output == EspalierVersion.current + "\n")
        #expect(try run(["frobnicate"]).code == 64)
        #expect(try run(["verify", "missing.onnx", "missing.onnx"]).code == 1)
    }

    #if os(Linux)
        /// It starts over once, unless told not to.
        @Test func spinningIsLimited() throws {
            let limited = try run(["doctor", "--json"]).document()["threads"] as? [String: Any]
            #expect(limited?["spinCount"] as? String == "30000")
            let told = try run(["doctor", "--json"], environment: ["GOMP_SPINCOUNT": "5"]).document()
            #expect((told["threads"] as? [String: Any])?["spinCount"] as? String == "5")
        }
    #endif
}
