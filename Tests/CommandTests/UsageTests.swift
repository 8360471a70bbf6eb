import ArgumentParser
import Espalier
import EspalierCommands
import EspalierPruning
import EspalierTraining
import Foundation
import Testing

/// What does not depend on the command.
struct UsageTests {
    @Test func versionIsBare() {
        let result = tool("--version")
        #expect(result.code == 0)
        #expect(result.output == EspalierVersion.current + "\n")
        #expect(result.error.isEmpty)
    }

    @Test func wrongUsageIs64() {
        for arguments in [
            ["frobnicate"], ["run"], ["eval", "m.onnx", "--data", "nonsense"], ["doctor", "--wat"],
        ] {
            let result = tool(arguments)
            #expect(result.code == 64, "\(arguments)")
            #expect(result.output.isEmpty)
            #expect(result.error.hasPrefix("Error: "))
            #expect(result.error.contains("Usage: espalier"))
        }
    }

    @Test(arguments: [
        ["run", "missing.onnx", "--input", "x.npz"],
        ["verify", "missing.onnx", "missing.onnx"],
        ["eval", "missing.onnx", "--data", "digits"],
        ["report", "missing.json", "-o", "r.html"],
    ])
    func failureIsOneLine(arguments: [String]) {
        let result = tool(arguments)
        #expect(result.code == 1)
        #expect(result.output.isEmpty)
        #expect(result.error.hasPrefix("Error: missing."))
        #expect(result.error.split(separator: "\n").count == 1)
    }

    @Test func threadsAreBounded() {
        let model = Fixture.path("classifier.onnx")
        #expect(tool("verify", model, model, "--threads", "0").code == 64)
        #expect(tool("verify", model, model, "--threads", "100000").code == 64)
    }

    /// What people read is kept in files, so that a change of it is seen. `ESPALIER_RECORD_SNAPSHOTS=1` renews them. Lists
    /// made from a catalogue are left out: a new criterion or architecture needs no new record.
    @Test func helpIsAsRecorded() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots")
        typealias Named = (name: String, command: any ParsableCommand.Type)
        let commands = EspalierCommand.configuration.subcommands.flatMap { command -> [Named] in
            [(command._commandName, command)]
                + command.configuration.subcommands.map { ("\(command._commandName)-\($0._commandName)", $0) }
        }
        let all: [Named] = [("espalier", EspalierCommand.self)] + commands
        for (name, command) in all {
            let text = withoutCatalogues(EspalierCommand.helpMessage(for: command, columns: 80)) + "\n"
            let file = folder.appending(path: "\(name).txt")
            if ProcessInfo.processInfo.environment["ESPALIER_RECORD_SNAPSHOTS"] != nil {
                try Data(text.utf8).write(to: file)
            }
            let recorded = try String(contentsOf: file, encoding: .utf8)
            #expect(text == recorded, "the help of \(name) is not what \(file.path) says")
            if command != EspalierCommand.self { #expect(text.contains("EXAMPLE"), "\(name) has no example") }
        }
    }

    private func withoutCatalogues(_ help: String) -> String {
        var isListing = false
        var lines: [Substring] = []
        for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty { isListing = false }
            if !isListing { lines.append(line) }
            if ["CRITERIA", "ARCHITECTURES"].contains(line) {
                isListing = true
                lines.append("  ...")
            }
        }
        return lines.joined(separator: "\n")
    }

    @Test func helpListsTheCatalogues() throws {
        func help(_ name: String) throws -> String {
            let command = EspalierCommand.configuration.subcommands.first { $0._commandName == name }
            return EspalierCommand.helpMessage(for: try #require(command), columns: 80)
        }
        let (prune, train) = (try help("prune"), try help("train"))
        for type in Criteria.all { #expect(prune.contains("  \(type.information.id): ")) }
        for type in Architectures.all { #expect(train.contains("  \(type.name): ")) }
    }
}
