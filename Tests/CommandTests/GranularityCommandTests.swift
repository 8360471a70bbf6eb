import Espalier
import EspalierPruning
import Foundation
import Testing

/// `prune --granularity` with N:M groups and blocks, through repair and into the file.
struct GranularityCommandTests {
    /// Few and large steps: a schedule plans anew at every one.
    private let repair = ["--data", "digits", "--finetune-epochs", "2", "--batch-size", "400"]

    private func prune(_ folder: TemporaryFolder, _ options: [String]) -> ToolResult {
        tool(["prune", folder("dense.onnx"), "-o", folder("m.onnx"), "--json", "--quiet"] + options)
    }

    /// Which weights of a layer in a file are zero, with the extents of its outputs and inputs brought to the front.
    private func zeros(_ file: String, _ layer: String) throws -> [[[Bool]]] {
        let pruner = try Pruner(try ONNXModel.load(from: file))
        let found = try #require(pruner.groups.layers.first { $0.name == layer })
        let (row, input) = (try #require(found.producerAxis), try #require(found.consumerAxis))
        let tensor = try #require(pruner.graph.constants[found.weight])
        let values = tensor.scalars(as: Float.self)
        let strides = tensor.shape.strides
        let others = (0..<tensor.count).filter { position in
            [row, input].allSatisfy { position / strides[$0] % tensor.shape[$0] == 0 }
        }
        return (0..<tensor.shape[row]).map { output in
            (0..<tensor.shape[input]).map { index in
                others.map { values[$0 + output * strides[row] + index * strides[input]] == 0 }
            }
        }
    }

    @Test(arguments: ["one-shot", "iterative", "cubic"])
    func inputGroupsHoldThroughRepair(schedule: String) throws {
        let folder = try TrainedModel.folder()
        let result = prune(folder, repair + ["--granularity", "2:4", "--schedule", schedule])
        #expect(result.code == 0, "\(result.error)")
        let layers = try result.entries("layers")
        #expect(layers["conv1"]?["refused"] as? String == "2:4 needs 4 inputs, it has 1")
        for layer in ["conv2", "fc1", "fc2"] {
            #expect(layers[layer]?["achieved"] as? Double == 0.5)
            #expect(layers[layer]?["requested"] as? Double == 0.5)
            for row in try zeros(folder("m.onnx"), layer) {
                for first in stride(from: 0, to: row.count, by: 4) {
                    for place in row[first].indices {
                        #expect((first..<first + 4).count { row[$0][place] } == 2)
                    }
                }
            }
        }
        // `eval` reads the same network from the file; chance is a tenth.
        let evaluation = tool("eval", folder("m.onnx"), "--data", "digits", "--json")
        #expect(try evaluation.number("accuracy") == result.number("after", "accuracy"))
        #expect(try result.number("after", "accuracy") > 0.5)
    }

    /// A layer with too few inputs for groups may have been pruned before.
    @Test(arguments: ["one-shot", "cubic"])
    func zerosStayWhereInputsAreTooFew(schedule: String) throws {
        let folder = try TrainedModel.folder()
        let sparse = tool(
            "prune", folder("dense.onnx"), "--sparsity", "0.9", "--scope", "uniform", "-o",
            folder("sparse.onnx"), "--quiet")
        try #require(sparse.code == 0, "\(sparse.error)")
        let again = tool(
            ["prune", folder("sparse.onnx"), "--granularity", "2:4", "--schedule", schedule, "--quiet"]
                + ["-o", folder("m.onnx")] + repair)
        try #require(again.code == 0, "\(again.error)")
        let (before, after) = (try nonzero(folder("sparse.onnx")), try nonzero(folder("m.onnx")))
        // Its 32 biases are not pruned.
        #expect(try #require(after["conv1"]) <= #require(before["conv1"]) + 32)
    }

    @Test(arguments: ["one-shot", "cubic"])
    func blocksHoldThroughRepair(schedule: String) throws {
        let folder = try TrainedModel.folder()
        let options = ["--granularity", "block:4x2", "--sparsity", "0.7", "--schedule", schedule]
        let result = prune(folder, repair + options)
        #expect(result.code == 0, "\(result.error)")
        let prunable = 288 + 18432 + 131_072 + 1280
        let achieved = try result.number("achievedSparsity")
        #expect(achieved >= 0.7 && (achieved - 0.7) * Double(prunable) < 8)
        for layer in ["conv2", "fc1"] {
            let zeros = try zeros(folder("m.onnx"), layer)
            var goneBlocks = 0
            for output in stride(from: 0, to: zeros.count, by: 4) {
                for input in stride(from: 0, to: zeros[0].count, by: 2) {
                    for place in zeros[0][0].indices {
                        let block = (output..<output + 4).flatMap { row in
                            (input..<input + 2).map { zeros[row][$0][place] }
                        }
                        #expect(Set(block).count == 1)
                        if block[0] { goneBlocks += 1 }
                    }
                }
            }
            #expect(goneBlocks > 0)
        }
    }

    @Test func plansOfBlocksAndGroupsAreApplied() throws {
        let folder = try TrainedModel.folder()
        for (granularity, target) in [("2:4", []), ("block:2x4", ["--sparsity", "0.6"])]
            as [(String, [String])]
        {
            let planned = tool(
                ["prune", folder("dense.onnx"), "--dry-run", "--plan", folder("plan.json"), "--quiet"]
                    + ["--granularity", granularity] + target)
            #expect(planned.code == 0, "\(planned.error)")
            let applied = tool(
                "prune", folder("dense.onnx"), "--plan", folder("plan.json"), "-o", folder("planned.onnx"),
                "-q")
            #expect(applied.code == 0, "\(applied.error)")
            #expect(prune(folder, ["--granularity", granularity] + target).code == 0)
            #expect(try bytes(folder("planned.onnx")) == bytes(folder("m.onnx")))
        }
    }

    @Test func targetsBesideInputGroupsAreChecked() throws {
        let folder = try TrainedModel.folder()
        #expect(prune(folder, ["--granularity", "2:4", "--sparsity", "0.4"]).code == 0)
        let refused = prune(folder, ["--granularity", "2:4", "--sparsity", "0.9"])
        #expect(refused.code == 1)
        #expect(refused.error.contains("the nearest possible is 0.5"), "\(refused.error)")
    }

    @Test(arguments: ["4:4", "0:4", "2:65", "block:0x4", "block:4", "block:65x1"])
    func impossibleNumbersAreWrongUsage(granularity: String) {
        let result = tool(
            "prune", "m.onnx", "-o", "n.onnx", "--sparsity", "0.5", "--granularity", granularity)
        #expect(result.code == 64)
        #expect(result.error.contains("N:M") && result.error.contains("block:RxC"), "\(result.error)")
        #expect(tool("score", "m.onnx", "--granularity", granularity).code == 64)
    }

    @Test func inputGroupsAreATargetOfTheirOwn() {
        let groups = ["prune", "m.onnx", "-o", "n.onnx", "--granularity", "2:4"]
        #expect(tool(groups + ["--plan", "p.json"]).code == 64)
        #expect(tool(groups + ["--dead-units", "--data", "digits"]).code == 64)
        #expect(tool("score", "m.onnx", "--granularity", "2:4").code == 64)
    }
}
