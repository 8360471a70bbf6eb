import Foundation
import Testing

/// `prune --allocation`.
struct AllocationCommandTests {
    private func folder(_ allocation: String) throws -> TemporaryFolder {
        let folder = try TrainedModel.folder()
        try Data(allocation.utf8).write(to: URL(filePath: folder("shares.json")))
        return folder
    }

    private func prune(_ folder: TemporaryFolder, _ options: [String]) -> ToolResult {
        tool(
            ["prune", folder("dense.onnx"), "--allocation", folder("shares.json"), "-o", folder("m.onnx")]
                + ["--json", "--quiet"] + options)
    }

    private let elements = """
        {"schemaVersion": 1, "granularity": "element",
         "layers": [{"name": "conv2", "sparsity": 0.5}, {"name": "fc1.weight", "sparsity": 0.9}]}
        """

    private let channels = """
        {"schemaVersion": 1, "granularity": "channel",
         "layers": [{"name": "conv1", "sparsity": 0.25}, {"name": "fc1", "sparsity": 0.5}]}
        """

    @Test(arguments: [
        [], ["--data", "digits", "--finetune-epochs", "1", "--batch-size", "400", "--schedule", "cubic"],
    ])
    func everyLayerLosesItsShare(repair: [String]) throws {
        let folder = try folder(elements)
        let result = prune(folder, repair)
        #expect(result.code == 0, "\(result.error)")
        let layers = try result.entries("layers")
        let achieved = layers.compactMapValues { $0["achieved"] as? Double }
        #expect(achieved["conv2"] == 0.5)
        #expect(abs((achieved["fc1"] ?? 0) - 0.9) < 1e-5)
        for name in ["conv1", "fc2"] {
            #expect(achieved[name] == 0)
            #expect(layers[name]?["refused"] as? String == "the allocation does not list it")
        }
        #expect(try nonzero(folder("m.onnx"))["conv2"] == 18432 / 2 + 64)
    }

    /// Layers that are not listed keep the zeros that they have.
    @Test(arguments: ["one-shot", "cubic"]) func zerosOfOtherLayersStay(schedule: String) throws {
        let folder = try folder(elements)
        let sparse = tool(
            "prune", folder("dense.onnx"), "--sparsity", "0.9", "--scope", "uniform", "-o",
            folder("sparse.onnx"), "--quiet")
        try #require(sparse.code == 0, "\(sparse.error)")
        let again = tool(
            ["prune", folder("sparse.onnx"), "--allocation", folder("shares.json"), "--data", "digits"]
                + ["--finetune-epochs", "1", "--batch-size", "400", "--schedule", schedule, "--quiet"]
                + ["-o", folder("m.onnx")])
        try #require(again.code == 0, "\(again.error)")
        let (before, after) = (try nonzero(folder("sparse.onnx")), try nonzero(folder("m.onnx")))
        // Biases are not pruned.
        for (layer, biases) in [("conv1", 32), ("conv2", 64), ("fc1", 128), ("fc2", 10)] {
            #expect(try #require(after[layer]) <= #require(before[layer]) + biases, "\(layer)")
        }
    }

    @Test func channelsAreCutByTheirShares() throws {
        let folder = try folder(channels)
        let result = prune(folder, [])
        #expect(result.code == 0, "\(result.error)")
        let achieved = try result.entries("layers").compactMapValues { $0["achieved"] as? Double }
        #expect(achieved["conv1"] == 0.25 && achieved["fc1"] == 0.5 && achieved["conv2"] == 0)
    }

    @Test func targetsScaleTheShares() throws {
        let folder = try folder(channels)
        let result = prune(folder, ["--max-macs", "0.6"])
        #expect(result.code == 0, "\(result.error)")
        #expect(try result.number("after", "macs") <= 0.6 * result.number("before", "macs"))
        let achieved = try result.entries("layers").compactMapValues { $0["achieved"] as? Double }
        let (first, second) = (try #require(achieved["conv1"]), try #require(achieved["fc1"]))
        #expect(first > 0.25 && second > first)
    }

    @Test func granularitiesMustAgree() throws {
        let folder = try folder(channels)
        #expect(prune(folder, ["--granularity", "channel"]).code == 0)
        let other = prune(folder, ["--granularity", "element"])
        #expect(other.code == 1 && other.error.contains("of channel granularity"), "\(other.error)")
        try Data("{}".utf8).write(to: URL(filePath: folder("shares.json")))
        let damaged = prune(folder, [])
        #expect(damaged.code == 1 && damaged.error.contains("schemaVersion"), "\(damaged.error)")
    }

    @Test(arguments: [
        ["--scope", "global"], ["--granularity", "2:4"], ["--plan", "p.json"],
        ["--dead-units", "--data", "digits"],
    ])
    func contradictionsAreWrongUsage(options: [String]) {
        let result = tool(["prune", "m.onnx", "-o", "n.onnx", "--allocation", "shares.json"] + options)
        #expect(result.code == 64, "\(result.error)")
        #expect(tool("prune", "m.onnx", "-o", "n.onnx", "--granularity", "2:4", "--scope", "erk").code == 64)
    }
}
