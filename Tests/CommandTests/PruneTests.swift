import Espalier
import EspalierTensors
import Foundation
import Testing

struct PruneTests {
    /// Few and large steps: a schedule plans anew at every one.
    private let repair = ["--data", "digits", "--finetune-epochs", "2", "--batch-size", "400"]
    /// Weights with two and more axes: 3 x 3 x 32, 32 x 3 x 3 x 64, 1024 x 128 and 128 x 10.
    private let prunable = 288 + 18432 + 131_072 + 1280

    private func prune(
        _ folder: TemporaryFolder, _ options: [String], to output: String = "m.onnx"
    ) -> ToolResult {
        tool(["prune", folder("dense.onnx"), "-o", folder(output), "--json", "--quiet"] + options)
    }

    /// Channels are cut from a network of few weights without giving it all of them back.
    @Test(arguments: [["--schedule", "one-shot"], ["--schedule", "iterative"], ["--method", "lagrangian"]])
    func zerosStayWhereChannelsGo(how: [String]) throws {
        let folder = try TrainedModel.folder()
        let sparse = tool(
            "prune", folder("dense.onnx"), "--sparsity", "0.9", "-o", folder("sparse.onnx"), "--quiet")
        try #require(sparse.code == 0, "\(sparse.error)")
        let cut = tool(
            [
                "prune", folder("sparse.onnx"), "--data", "digits", "--granularity", "channel",
                "--max-parameters",
            ]
                + ["0.5", "--finetune-epochs", "2", "-o", folder("cut.onnx"), "--quiet"] + how)
        try #require(cut.code == 0, "\(cut.error)")
        let (before, after) = (try nonzero(folder("sparse.onnx")), try nonzero(folder("cut.onnx")))
        for (layer, count) in after {
            // Biases are not pruned.
            #expect(try count <= #require(before[layer]) + 200, "\(layer)")
        }
    }

    /// What was pruned before stays so in layers that are left alone, so that the target is met after the repair, too.
    @Test(arguments: [
        ["--schedule", "one-shot"], ["--schedule", "cubic"], ["--schedule", "cubic", "--regrowth", "0.3"],
        ["--granularity", "block:2x2"], ["--method", "rigl"], ["--method", "lagrangian"],
    ])
    func zerosStayInLayersThatAreKept(how: [String]) throws {
        let folder = try TrainedModel.folder()
        let sparse = tool(
            "prune", folder("dense.onnx"), "--sparsity", "0.9", "-o", folder("sparse.onnx"), "--quiet")
        try #require(sparse.code == 0, "\(sparse.error)")
        let again = tool(
            ["prune", folder("sparse.onnx"), "--keep", "fc1", "--max-macs", "0.05", "-o", folder("m.onnx")]
                + ["--json", "--quiet"] + repair + how)
        try #require(again.code == 0, "\(again.error)")
        let (before, after) = (
            try values(of: "fc1.weight", in: folder("sparse.onnx")),
            try values(of: "fc1.weight", in: folder("m.onnx"))
        )
        #expect(before.count { $0 == 0 } > before.count / 2)
        #expect(zip(before, after).allSatisfy { $0 != 0 || $1 == 0 })
        // What is left of it learns.
        #expect(before != after)
        #expect(
            try again.number("after", "effectiveMacs") <= 0.05 * again.number("before", "macs"))
    }

    /// A layer that is all zero was not pruned, but never trained.
    @Test(arguments: [
        ["--sparsity", "0.5", "--keep", "fc2"], ["--granularity", "channel", "--max-parameters", "0.7"],
    ])
    func layersOfZerosLearn(target: [String]) throws {
        let folder = try TrainedModel.folder()
        let graph = try ONNXModel.load(from: folder("dense.onnx"))
        let weight = try #require(graph.value(named: "fc2.weight")).id
        var patch = Patch(for: graph)
        patch.append(.setConstant(weight, Tensor(zeros: try #require(graph.constants[weight]).shape)))
        try ONNXModel.write(try graph.applying(patch), to: folder("untrained.onnx"))
        let result = tool(
            ["prune", folder("untrained.onnx"), "-o", folder("m.onnx"), "--quiet"] + repair + target)
        try #require(result.code == 0, "\(result.error)")
        let values = try values(of: "fc2.weight", in: folder("m.onnx"))
        #expect(values.count { $0 != 0 } > values.count / 2)
    }

    private func values(of name: String, in file: String) throws -> [Float] {
        let graph = try ONNXModel.load(from: file)
        let id = try #require(graph.value(named: name)).id
        return try #require(graph.constants[id]).scalars(as: Float.self)
    }

    @Test(arguments: [["one-shot"], ["cubic"], ["cubic", "--regrowth", "0.3"]])
    func elementsStayPrunedThroughRepair(schedule: [String]) throws {
        let folder = try TrainedModel.folder()
        let result = prune(folder, repair + ["--sparsity", "0.9", "--schedule"] + schedule)
        #expect(result.code == 0, "\(result.error)")
        #expect(try result.number("requestedSparsity") == 0.9)
        let achieved = try result.number("achievedSparsity")
        #expect(abs(achieved - 0.9) * Double(prunable) <= 1)
        #expect(try result.number("prunableSparsity") == achieved)
        let (all, left) = (try result.number("before", "parameters"), try result.number("after", "nonzero"))
        #expect(abs(try result.number("overallSparsity") - (1 - left / all)) < 1e-12)

        // The file has the zeros that the document tells of.
        let layers = try result.entries("layers")
        #expect(layers.keys.sorted() == ["conv1", "conv2", "fc1", "fc2"])
        let nonzero = try nonzero(folder("m.onnx"))
        for (name, layer) in layers { #expect(layer["parametersAfter"] as? Int == nonzero[name], "\(name)") }
        let biases = 32 + 64 + 128 + 10
        #expect(
            Double(nonzero.values.reduce(0, +) - biases) <= (1 - achieved) * Double(prunable) + 0.5)

        #expect(try result.number("before", "accuracy") == TrainedModel.document()["accuracy"] as? Double)
        let evaluation = tool("eval", folder("m.onnx"), "--data", "digits", "--json")
        #expect(try evaluation.number("accuracy") == result.number("after", "accuracy"))
        #expect(try result.number("verification", "maxAbsoluteDifference") < 1e-5)
        for stage in ["before", "after"] {
            for key in ["parameters", "nonzero", "macs", "effectiveMacs", "accuracy", "loss"] {
                _ = try result.number(stage, key)
            }
        }
    }

    @Test(arguments: ["one-shot", "iterative"])
    func channelsAreCutOut(schedule: String) throws {
        let folder = try TrainedModel.folder()
        let options = ["--granularity", "channel", "--max-macs", "0.5", "--schedule", schedule]
        let result = prune(folder, repair + options)
        #expect(result.code == 0, "\(result.error)")
        let (before, after) = (try result.number("before", "macs"), try result.number("after", "macs"))
        #expect(after <= 0.5 * before && after > 0.4 * before)
        let inspection = tool("inspect", folder("m.onnx"), "--json")
        #expect(try inspection.number("macs") == after)
        #expect(try inspection.number("parameters") == result.number("after", "parameters"))
        #expect(try inspection.number("parameters") < 0.5 * result.number("before", "parameters"))
        #expect(try bytes(folder("m.onnx")).count < bytes(folder("dense.onnx")).count / 2)
        let evaluation = tool("eval", folder("m.onnx"), "--data", "digits", "--json")
        #expect(try evaluation.number("accuracy") == result.number("after", "accuracy"))
        #expect(try result.number("verification", "surgeryMaxAbsoluteDifference") < 1e-3)
        let layers = try result.entries("layers")
        #expect(layers["conv1"]?["refused"] as? String == "the first layer is left alone")
        #expect((layers["fc2"]?["refused"] as? String)?.contains("output 'logits'") == true)
        #expect(layers["conv2"]?["refused"] == nil)
    }

    @Test(arguments: [["--sparsity", "0.5"], ["--granularity", "channel", "--max-parameters", "0.6"]])
    func saliencyDecides(target: [String]) throws {
        let folder = try TrainedModel.folder()
        let result = prune(
            folder,
            target + [
                "--criterion", "saliency", "--data", "digits", "--finetune-epochs", "0", "--evidence-samples",
                "200",
            ])
        #expect(result.code == 0, "\(result.error)")
        let random = prune(
            folder, target + ["--criterion", "random", "--data", "digits", "--finetune-epochs", "0"])
        #expect(try result.number("after", "loss") < random.number("after", "loss"))
        let blind = prune(folder, target + ["--criterion", "saliency"])
        #expect(blind.code == 1)
        #expect(blind.error.contains("give --data"))
    }

    @Test func dataAreNotNeeded() throws {
        let folder = try TrainedModel.folder()
        let result = prune(folder, ["--granularity", "channel", "--max-macs", "0.5"])
        #expect(result.code == 0, "\(result.error)")
        #expect(try result.number("verification", "maxAbsoluteDifference") < 1e-4)
        let document = try result.document()
        #expect((document["after"] as? [String: Any])?["accuracy"] == nil)
        #expect((document["epochs"] as? [Any])?.isEmpty ?? true)
    }

    /// The dense network says what is right.
    @Test func labelsAreNotNeeded() throws {
        let folder = try TrainedModel.folder()
        let result = prune(
            folder,
            [
                "--sparsity", "0.8", "--data", "npz:\(Fixture.path("images.npz"))", "--labels", "none",
                "--scale", "0.0625", "--finetune-epochs", "2", "--batch-size", "16",
            ])
        #expect(result.code == 0, "\(result.error)")
        let epochs = try #require(try result.document()["epochs"] as? [[String: Any]])
        #expect(epochs.count == 2 && epochs[1]["validationLoss"] as? Double != nil)
        #expect((try result.document()["after"] as? [String: Any])?["accuracy"] == nil)
    }

    @Test func patternsKeepLayers() throws {
        let folder = try TrainedModel.folder()
        let result = prune(folder, ["--sparsity", "0.5", "--keep", "fc*"])
        #expect(result.code == 0, "\(result.error)")
        let (before, after) = (try nonzero(folder("dense.onnx")), try nonzero(folder("m.onnx")))
        for layer in ["fc1", "fc2"] {
            #expect(before[layer] == after[layer])
            let entry = try result.entries("layers")[layer]
            #expect((entry?["refused"] as? String)?.contains("'fc*'") == true)
        }
        #expect(try #require(after["conv2"]) < 10_000)
    }

    @Test func unreachableTargetsAreRefused() throws {
        let folder = try TrainedModel.folder()
        let result = prune(folder, ["--granularity", "channel", "--max-macs", "0.0001"])
        #expect(result.code == 1)
        #expect(result.output.isEmpty)
        #expect(result.error.contains("the nearest possible is 0.1"))
        #expect(result.error.contains("a smaller --minimum-kept and --first-and-last"), "\(result.error)")
        #expect(throws: (any Error).self) { try bytes(folder("m.onnx")) }
    }

    @Test func withoutWeightsNothingIsPruned() throws {
        let folder = try TemporaryFolder()
        var builder = GraphBuilder(name: "relu")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(4)]))
        let output = builder.node("Relu", inputs: [x])
        try ONNXModel.write(try builder.finish(outputs: [output]), to: folder("relu.onnx"))
        let result = tool(
            "prune", folder("relu.onnx"), "--sparsity", "0.5", "-o", folder("m.onnx"), "--quiet")
        #expect(result.code == 1)
        #expect(result.error.contains("it has no weights of layers that are known"), "\(result.error)")
    }

    @Test func inputIsNotOverwritten() throws {
        let folder = try TrainedModel.folder()
        let before = try bytes(folder("dense.onnx"))
        let result = prune(folder, ["--sparsity", "0.5"], to: "dense.onnx")
        #expect(result.code == 1)
        #expect(result.error.contains("never overwritten"))
        try FileManager.default.createSymbolicLink(
            atPath: folder("link.onnx"), withDestinationPath: folder("dense.onnx"))
        #expect(prune(folder, ["--sparsity", "0.5"], to: "link.onnx").code == 1)
        #expect(try bytes(folder("dense.onnx")) == before)
    }

    @Test func channelsDoNotRegrow() throws {
        let folder = try TrainedModel.folder()
        let options = [
            "--granularity", "channel", "--max-macs", "0.5", "--schedule", "cubic", "--regrowth", "0.3",
        ]
        let result = prune(folder, repair + options)
        #expect(result.code == 1)
        #expect(result.error.contains("only single weights regrow"))
    }

    @Test(arguments: [
        [], ["--sparsity", "0.5", "--regrowth", "0.3"],
        ["--sparsity", "0.5", "--schedule", "cubic", "--regrowth", "1"],
        ["--sparsity", "0.5", "--plan", "p.json"], ["--sparsity", "1"], ["--sparsity", "-0.1"],
        ["--max-macs", "0"], ["--sparsity", "0.5", "--wat"],
        ["--sparsity", "0.5", "--criterion", "taste"], ["--sparsity", "0.5", "--scope", "taste"],
        ["--sparsity", "0.5", "--schedule", "soon"], ["--sparsity", "0.5", "--granularity", "molecule"],
    ])
    func wrongUsageIs64(options: [String]) {
        let result = tool(["prune", "m.onnx", "-o", "n.onnx"] + options)
        #expect(result.code == 64, "\(result.error)")
        #expect(tool("prune", "m.onnx", "--sparsity", "0.5").code == 64)
    }

    /// Around a node that nobody knows the rest is cut, run on both sides of it, and written.
    @Test(arguments: [["--sparsity", "0.5"], ["--granularity", "channel", "--max-macs", "0.8"]])
    func prunesAroundOpaqueNodes(target: [String]) throws {
        let folder = try TemporaryFolder()
        let options = ["--first-and-last", "-o", folder("m.onnx"), "--json", "--quiet"]
        let result = tool(["prune", Fixture.path("opaque.onnx")] + target + options)
        #expect(result.code == 0, "\(result.error)")
        #expect(try result.number("after", "nonzero") < result.number("before", "nonzero"))
        func opaque(_ path: String) throws -> NSArray? {
            try tool("inspect", path, "--json").document()["opaque"] as? NSArray
        }
        let before = try #require(try opaque(Fixture.path("opaque.onnx")))
        let after = try opaque(folder("m.onnx"))
        #expect(before.count > 0)
        #expect(after == before)
    }

    @Test func openShapesAreAskedForAndTakenFromData() throws {
        let folder = try TemporaryFolder()
        let model = Fixture.path("open-size.onnx")
        let options = ["--sparsity", "0.5", "-o", folder("m.onnx"), "--json", "--quiet"]
        let refused = tool(["prune", model] + options)
        #expect(refused.code == 1)
        #expect(refused.error.contains("--shape"))
        let given = tool(["prune", model, "--shape", "x=1x3x8x6"] + options)
        #expect(given.code == 0, "\(given.error)")
        #expect(try given.number("before", "macs") == Double(4 * 3 * 9 * 6 * 4))
        let slim = ["prune", model, "--shape", "x=1x3x8x6", "--granularity", "channel", "--first-and-last"]
        // Its only group is the model's output.
        let frozen = tool(slim + ["--max-macs", "0.5", "-o", folder("m.onnx")])
        #expect(frozen.code == 1 && frozen.error.contains("output 'y'"), "\(frozen.error)")
    }
}
