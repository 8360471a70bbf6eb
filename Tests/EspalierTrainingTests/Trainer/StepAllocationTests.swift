import Foundation
import Testing

struct StepAllocationTests {
    /// Once an epoch has begun its steps allocate nothing, but by oneDNN: counted by a program of its own.
    @Test(arguments: ["dense", "masked"]) func stepsAllocateNothing(kind: String) throws {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "TrainingProbe")
        process.arguments = ["40", kind]
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let text = String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(text == "0" || text == "unavailable", "allocations: \(text)")
    }
}
