import Foundation
import Testing

struct PrunePlanTests {
    /// A plan on disk in a folder with the model.
    private func planned(_ options: String...) throws -> TemporaryFolder {
        let folder = try TrainedModel.folder()
        let result = tool(
            ["prune", folder("dense.onnx"), "--dry-run", "--plan", folder("plan.json"), "--json", "--quiet"]
                + ["-o", folder("m.onnx")] + options)
        #expect(result.code == 0, "\(result.error)")
        let document = try result.document()
        #expect(document["layers"] != nil)
        #expect(document["outputs"] == nil)
        #expect(!FileManager.default.fileExists(atPath: folder("m.onnx")))
        return folder
    }

    private func apply(_ folder: TemporaryFolder) -> ToolResult {
        tool(
            "prune", folder("dense.onnx"), "--plan", folder("plan.json"), "-o", folder("m.onnx"), "--json",
            "--quiet")
    }

    @Test func savedPlanGivesTheSameModel() throws {
        let folder = try planned("--sparsity", "0.7")
        #expect(apply(folder).code == 0)
        #expect(
            tool("prune", folder("dense.onnx"), "--sparsity", "0.7", "-o", folder("direct.onnx"), "-q").code
                == 0)
        #expect(try bytes(folder("m.onnx")) == bytes(folder("direct.onnx")))
    }

    @Test func editedPlanIsApplied() throws {
        let folder = try planned("--granularity", "channel", "--max-macs", "0.5")
        let file = URL(filePath: folder("plan.json"))
        var plan = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        var channels = try #require(plan["channels"] as? [[String: Any]])
        let place = try #require(channels.firstIndex { $0["group"] as? String == "conv2.weight" })
        channels[place]["dropped"] = Array((channels[place]["dropped"] as? [Int] ?? []).prefix(8))
        plan["channels"] = channels
        try JSONSerialization.data(withJSONObject: plan).write(to: file)
        let result = apply(folder)
        #expect(result.code == 0, "\(result.error)")
        let layer = try #require(try result.entries("layers")["conv2"])
        #expect(layer["achieved"] as? Double == 8.0 / 64)
        #expect(try nonzero(folder("m.onnx"))["conv2"] == (64 - 8) * (32 * 9 + 1))
    }

    /// A plan says what goes; what would say otherwise is not ignored.
    @Test(arguments: [
        ["--criterion", "random"], ["--granularity", "channel"], ["--keep", "fc1"], ["--scope", "uniform"],
        ["--minimum-kept", "0.5"], ["--first-and-last"], ["--data", "digits", "--schedule", "cubic"],
    ])
    func plansGoWithoutOtherWishes(options: [String]) throws {
        let folder = try planned("--sparsity", "0.7")
        let result = tool(
            ["prune", folder("dense.onnx"), "--plan", folder("plan.json"), "-o", folder("m.onnx")] + options)
        #expect(result.code == 64 && result.error.contains("--plan"), "\(result.error)")
    }

    @Test func plansForOtherModelsAreRefused() throws {
        let folder = try planned("--sparsity", "0.7")
        let result = tool(
            "prune", Fixture.path("classifier.onnx"), "--plan", folder("plan.json"), "-o", folder("m.onnx"))
        #expect(result.code == 1)
        try Data("{}".utf8).write(to: URL(filePath: folder("plan.json")))
        let damaged = apply(folder)
        #expect(damaged.code == 1)
        #expect(damaged.error.contains("schemaVersion"), "\(damaged.error)")
        #expect(result.error.contains(folder("plan.json")) && damaged.error.contains(folder("plan.json")))
        for option in ["--plan", "--allocation"] {
            let missing = tool(
                "prune", folder("dense.onnx"), option, folder("no.json"), "-o", folder("m.onnx"), "--quiet")
            #expect(missing.code == 1)
            #expect(missing.error.contains("\(folder("no.json")): cannot read"), "\(missing.error)")
        }
    }
}
