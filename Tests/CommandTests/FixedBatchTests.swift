import Espalier
import EspalierTensors
import Foundation
import Testing

/// Models that exporters declare for the one sample they were traced with, or for another fixed number.
struct FixedBatchTests {
    /// The trained network, declared for `samples`.
    private func folder(declaring samples: Int) throws -> TemporaryFolder {
        let folder = try TrainedModel.folder()
        let graph = try ONNXModel.load(from: folder("dense.onnx"))
        var patch = Patch(for: graph)
        for input in graph.inputs {
            let type = try #require(graph.values[input]?.type)
            let rest = try #require(type.dimensions).dropFirst()
            patch.append(
                .setType(input, ValueType(dtype: type.dtype, dimensions: [.fixed(samples)] + rest)))
        }
        try ONNXModel.write(try graph.applying(patch), to: folder("fixed.onnx"))
        return folder
    }

    private static let commands = [
        ["finetune", "--epochs", "1"], ["prune", "--sparsity", "0.5", "--finetune-epochs", "1"],
        ["prune", "--granularity", "channel", "--max-macs", "0.5", "--finetune-epochs", "1"],
        ["prune", "--dead-units"],
    ]

    @Test(arguments: commands, [1, 7]) func canBeMadeSmallerAndBetter(command: [String], samples: Int) throws
    {
        let folder = try folder(declaring: samples)
        let result = tool(
            command + [folder("fixed.onnx"), "--data", "digits", "-o", folder("out.onnx"), "--quiet"])
        #expect(result.code == 0, "\(result.error)")
        let evaluated = tool("eval", folder("out.onnx"), "--data", "digits", "--json", "--quiet")
        #expect(try evaluated.number("accuracy") > 0.8)
    }

    /// A model of which a node takes a single sample, not by declaration alone.
    @Test(arguments: [
        ["prune", "--sparsity", "0.5", "--finetune-epochs", "0"],
        ["prune", "--sparsity", "0.5", "--criterion", "taylor", "--finetune-epochs", "0"],
        ["prune", "--sparsity", "0.5", "--finetune-epochs", "1", "--batch-size", "1"],
        ["prune", "--sparsity", "0.5", "--finetune-epochs", "1", "--batch-size", "1", "--schedule", "cubic"],
        ["finetune", "--epochs", "1", "--batch-size", "1"],
    ])
    func nodesMayTakeSingleSamples(command: [String]) throws {
        let folder = try TemporaryFolder()
        let model = Fixture.path("one-sample.onnx")
        let result = tool(
            command + [model, "--data", "digits", "-o", folder("out.onnx"), "--json", "--quiet"])
        #expect(result.code == 0, "\(result.error)")
        let evaluated = tool("eval", folder("out.onnx"), "--data", "digits", "--json", "--quiet")
        let accuracy =
            try command[0] == "prune" ? result.number("after", "accuracy") : result.number("accuracy")
        #expect(try evaluated.number("accuracy") == accuracy)
    }
}
