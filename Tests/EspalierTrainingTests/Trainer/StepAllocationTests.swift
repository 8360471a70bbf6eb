import Foundation
import Testing

struct StepAllocationTests {
    /// Once an epoch has begun its steps allocate nothing, but by oneDNN: counted by a program of its own.
    @Test(arguments: ["dense", "masked", "robust"]) func stepsAllocateNothing(kind: String) throws {
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
        // What makes the programs of regularizations goes through sets, whose sizes are not the same in every run.
        let some = kind == "robust" ? 20 : 0
        #expect(text == "unavailable" || abs(Int(text) ?? .max) <= some, "allocations: \(text)")
    }
}
