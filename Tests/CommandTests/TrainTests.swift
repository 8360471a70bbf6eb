import Espalier
import Foundation
import Testing

struct TrainTests {
    @Test func fileDoesWhatWasReported() throws {
        let folder = try TrainedModel.folder()
        let told = try TrainedModel.document()
        let accuracy = try #require(told["accuracy"] as? Double)
        #expect(accuracy > 0.9)
        let epochs = try #require(told["epochs"] as? [[String: Any]])
        #expect(epochs.map { $0["epoch"] as? Int } == [1, 2])
        let evaluation = tool("eval", folder("dense.onnx"), "--data", "digits", "--json")
        #expect(try evaluation.number("accuracy") == accuracy)
        #expect(abs(try evaluation.number("loss") - (told["loss"] as? Double ?? .infinity)) < 1e-6)
    }

    @Test func seedDecidesOnAllBytes() throws {
        let folder = try TrainedModel.folder()
        #expect(tool(TrainedModel.arguments + ["-o", folder("again.onnx")]).code == 0)
        #expect(try bytes(folder("again.onnx")) == bytes(folder("dense.onnx")))
        #expect(tool(TrainedModel.arguments + ["--seed", "1", "-o", folder("other.onnx")]).code == 0)
        #expect(try bytes(folder("other.onnx")) != bytes(folder("dense.onnx")))
    }

    @Test func momentumDecidesOnTheResult() throws {
        let folder = try TemporaryFolder()
        let options: [[String]] = [
            [], ["--momentum", "0.9"], ["--momentum", "0.5"], ["--momentum", "0"], ["--nesterov"],
        ]
        let models = try options.enumerated().map { place, options in
            let path = folder("\(place).onnx")
            let result = tool(
                [
                    "train", "--arch", "tiny-cnn", "--data", "digits", "--epochs", "1", "--batch-size", "256",
                    "--optimizer", "sgd", "--quiet", "-o", path,
                ] + options)
            #expect(result.code == 0, "\(result.error)")
            return try bytes(path)
        }
        #expect(models[0] == models[1])
        #expect(Set(models).count == 4)
    }

    /// Over a part of the steps from 0 on, after which the schedule begins.
    @Test func learningRateWarmsUp() throws {
        let folder = try TemporaryFolder()
        let result = tool(
            "train", "--arch", "tiny-cnn", "--data", "digits", "--epochs", "3", "--batch-size", "256",
            "--schedule", "constant", "--learning-rate", "0.004", "--warm-up", "2", "--json", "--quiet",
            "-o", folder("m.onnx"))
        #expect(result.code == 0, "\(result.error)")
        let epochs = try #require(try result.document()["epochs"] as? [[String: Any]])
        let rates = epochs.compactMap { $0["learningRate"] as? Double }
        #expect(rates.count == 3)
        for (found, expected) in zip(rates, [0.002, 0.004, 0.004]) {
            #expect(abs(found - expected) < 1e-12, "\(rates)")
        }
    }

    @Test(arguments: [
        ["--arch", "nonsense", "-o", "m.onnx"], ["--arch", "tiny-cnn"],
        ["--arch", "tiny-cnn", "-o", "m.onnx", "--epochs", "0"],
        ["--arch", "tiny-cnn", "-o", "m.onnx", "--resume"],
        ["--arch", "tiny-cnn", "-o", "m.onnx", "--wat"],
    ])
    func wrongUsageIs64(options: [String]) {
        let result = tool(["train", "--data", "digits"] + options)
        #expect(result.code == 64, "\(result.error)")
    }

    @Test func noiseIsNotTrainedOn() {
        let result = tool("train", "--arch", "tiny-cnn", "--data", "random", "-o", "m.onnx")
        #expect(result.code == 64)
        #expect(result.error.contains("images with class labels"), "\(result.error)")
    }

    /// Known by what the file says of itself or, without that, by its layers.
    @Test func widthsAreThoseOfTheArchitecture() throws {
        let folder = try TrainedModel.folder()
        func train(_ architecture: String) -> ToolResult {
            tool(
                "train", "--arch", architecture, "--widths-of", folder("dense.onnx"), "--data", "digits",
                "--epochs", "1", "--quiet", "-o", folder("m.onnx"))
        }
        let other = train("lenet-300-100")
        #expect(other.code == 1 && other.error.contains("is a tiny-cnn"), "\(other.error)")
        var graph = try ONNXModel.load(from: folder("dense.onnx"))
        graph.metadata = [:]
        try ONNXModel.write(graph, to: folder("dense.onnx"))
        let unnamed = train("lenet-300-100")
        #expect(unnamed.code == 1 && unnamed.error.contains("'conv1.weight'"), "\(unnamed.error)")
        #expect(unnamed.error.contains("it is not a pruned lenet-300-100"))
        let same = train("tiny-cnn")
        #expect(same.code == 0, "\(same.error)")
    }

    @Test func outputFolderMustExist() {
        let result = tool("train", "--arch", "tiny-cnn", "--data", "digits", "-o", "/nowhere/m.onnx")
        #expect(result.code == 1)
        #expect(result.error.contains("no folder '/nowhere'"))
    }
}
