import Foundation
import Testing

struct ReportTests {
    @Test func savedRunsAreRendered() throws {
        let folder = try TemporaryFolder()
        var documents: [String] = []
        for (index, model) in ["classifier.onnx", "changed.onnx"].enumerated() {
            let result = tool("eval", Fixture.path(model), "--data", "digits", "--json")
            documents.append(folder("\(index).json"))
            try Data(result.output.utf8).write(to: URL(filePath: documents[index]))
        }
        let result = tool(["report"] + documents + ["-o", folder("r.html"), "--title", "Two runs"])
        #expect(result.code == 0, "\(result.error)")
        let page = try String(contentsOfFile: folder("r.html"), encoding: .utf8)
        #expect(page.contains("Two runs"))
        #expect(page.contains("classifier.onnx") && page.contains("changed.onnx"))
    }

    /// A network that diverged has such a loss, and commands print it as a word.
    @Test func lossesThatAreNoNumbersAreRendered() throws {
        let folder = try TemporaryFolder()
        let document = tool("eval", Fixture.path("classifier.onnx"), "--data", "digits", "--json").output
        let changed = document.replacing(/"loss" : [-.0-9e]+/, with: #""loss" : "NaN""#)
        try #require(changed != document)
        try Data(changed.utf8).write(to: URL(filePath: folder("run.json")))
        let result = tool("report", folder("run.json"), "-o", folder("r.html"))
        #expect(result.code == 0, "\(result.error)")
        #expect(try String(contentsOfFile: folder("r.html"), encoding: .utf8).contains("nan"))
    }

    @Test(arguments: [
        ("not JSON", "not JSON"), (#"{"schemaVersion": 1, "outputs": []}"#, "no 'command'"),
        (#"{"schemaVersion": 99}"#, "schema version 99"), ("{}", "no 'schemaVersion'"),
    ])
    func otherFilesAreRefused(text: String, reason: String) throws {
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: URL(filePath: folder("run.json")))
        let result = tool("report", folder("run.json"), "-o", folder("r.html"))
        #expect(result.code == 1)
        #expect(result.error.contains(reason))
        #expect(!FileManager.default.fileExists(atPath: folder("r.html")))
    }
}
