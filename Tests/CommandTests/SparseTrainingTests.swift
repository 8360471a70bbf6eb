import Espalier
import EspalierTensors
import Foundation
import Testing

/// `prune --method`, and accuracy as a budget.
struct SparseTrainingTests {
    private func prune(
        _ folder: TemporaryFolder, _ arguments: String..., output: String = "out.onnx"
    ) throws -> [String: Any] {
        let result = tool(
            [
                "prune", folder("dense.onnx"), "--data", "digits", "--finetune-epochs", "2", "--json",
                "--quiet", "-o",
            ]
                + [folder(output)] + arguments)
        try #require(result.code == 0, "\(result.error)")
        return try result.document()
    }

    private func share(_ record: [String: Any], of name: String) throws -> Double {
        let before = try #require(record["before"] as? [String: Any])
        let after = try #require(record["after"] as? [String: Any])
        return Double(try #require(after[name] as? Int)) / Double(try #require(before[name] as? Int))
    }

    @Test(arguments: [("lagrangian", "macs"), ("lagrangian", "parameters"), ("l0", "macs")])
    func channelBudgetsAreMet(method: String, cost: String) throws {
        let folder = try TrainedModel.folder()
        let record = try prune(folder, "--granularity", "channel", "--method", method, "--max-\(cost)", "0.5")
        let left = try share(record, of: cost)
        // A channel of tiny-cnn's second layer has 1.5 % of the multiply-accumulates.
        #expect(left <= 0.5 && left > 0.45)
    }

    @Test(arguments: [0.5, 0.9])
    func elementBudgetsAreMet(sparsity: Double) throws {
        let folder = try TrainedModel.folder()
        let record = try prune(folder, "--method", "lagrangian", "--sparsity", "\(sparsity)")
        #expect(try #require(record["achievedSparsity"] as? Double) >= sparsity)
        #expect(try #require(record["achievedSparsity"] as? Double) < sparsity + 0.01)
    }

    @Test func pricesNeedNoTarget() throws {
        let folder = try TrainedModel.folder()
        var shares: [Double] = []
        for lambda in ["0.001", "1000"] {
            let record = try prune(
                folder, "--granularity", "channel", "--method", "lagrangian", "--lambda", lambda)
            shares.append(try share(record, of: "macs"))
        }
        #expect(shares[0] > 0.7 && shares[1] < 0.4)
    }

    /// Layers are measured, and what they take is charged for.
    @Test func latencyHasAPrice() throws {
        let folder = try TrainedModel.folder()
        let record = try prune(
            folder, "--granularity", "channel", "--method", "lagrangian", "--cost", "latency", "--lambda",
            "1000")
        #expect(try share(record, of: "macs") < 0.6)
        #expect(record["latency"] == nil)
    }

    @Test(arguments: ["rigl", "set"])
    func dynamicTrainingKeepsTheNumber(method: String) throws {
        let folder = try TrainedModel.folder()
        let record = try prune(folder, "--method", method, "--sparsity", "0.8", "--scope", "erk")
        #expect(abs(try #require(record["achievedSparsity"] as? Double) - 0.8) < 0.001)
        #expect(try #require((record["after"] as? [String: Any])?["accuracy"] as? Double) > 0.8)
    }

    /// However short the training, weights are exchanged: those with the largest gradients are not those drawn at random.
    @Test func dynamicMethodsDiffer() throws {
        let folder = try TrainedModel.folder()
        for method in ["rigl", "set"] {
            _ = try prune(folder, "--method", method, "--sparsity", "0.9", output: "\(method).onnx")
        }
        let contents = try ["rigl", "set"].map {
            try Data(contentsOf: URL(filePath: folder("\($0).onnx")))
        }
        #expect(contents[0] != contents[1])
    }

    @Test func unattainableBudgetsAreRefusedBeforeTraining() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "prune", folder("dense.onnx"), "--data", "digits", "--granularity", "channel", "--method",
            "lagrangian",
            "--max-macs", "0.01", "--finetune-epochs", "1000", "--quiet", "-o", folder("out.onnx"))
        #expect(result.code == 1)
        #expect(result.error.contains("the nearest possible is"))
    }

    /// Killed in either part of the training, then gone on with: the same model as without the kill.
    @Test(arguments: ["lagrangian", "l0"], [1, 3])
    func killedTrainingEndsAsOthers(method: String, changes: Int) throws {
        let folder = try TrainedModel.folder()
        func arguments(_ output: String) -> [String] {
            [
                "prune", folder("dense.onnx"), "--data", "digits", "--granularity", "channel", "--method",
                method,
                "--max-macs", "0.5", "--finetune-epochs", "4", "--quiet", "-o", folder(output),
            ]
        }
        #expect(tool(arguments("whole.onnx")).code == 0)
        try FileManager.default.createDirectory(
            atPath: folder("saved"), withIntermediateDirectories: true)
        let saving = ["--checkpoint", folder("saved/run.npz"), "--resume"]
        let killed = try Program.kill(
            arguments("killed.onnx") + saving, afterChanges: changes, in: URL(filePath: folder("saved")))
        #expect(killed)
        #expect(tool(arguments("killed.onnx") + saving).code == 0)
        let (one, other) = (folder("whole.onnx"), folder("killed.onnx"))
        #expect(FileManager.default.contentsEqual(atPath: one, andPath: other))
    }

    @Test func accuracyCanBeTheBudget() throws {
        let folder = try TrainedModel.folder()
        let record = try prune(folder, "--max-accuracy-drop", "0.02")
        #expect(try #require(record["achievedSparsity"] as? Double) > 0.5)
        let drop = try #require((record["figures"] as? [String: Double])?["validationAccuracyDrop"])
        #expect(drop <= 0.02)
        let channels = try prune(
            folder, "--granularity", "channel", "--max-accuracy-drop", "0.05", "--method", "lagrangian")
        #expect(try share(channels, of: "macs") < 0.9)
        let impossible = tool(
            "prune", folder("dense.onnx"), "--data", "digits", "--granularity", "channel",
            "--max-accuracy-drop", "0",
            "--learning-rate", "10", "--finetune-epochs", "1", "--quiet", "-o", folder("no.onnx"))
        #expect(impossible.code == 1)
        #expect(!FileManager.default.fileExists(atPath: folder("no.onnx")))
    }

    /// A criterion may have no score for some layers, here for one without batch norm: what cannot be reached is not tried for.
    @Test func accuracyIsABudgetForCriteriaOfSomeLayers() throws {
        let folder = try TemporaryFolder()
        var random = RandomSource(seed: 1)
        var builder = GraphBuilder(name: "normalized")
        func weight(_ name: String, _ shape: Shape) -> ValueID {
            builder.constant(
                name,
                Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(0.2 * random.normal()) }))
        }
        let x = builder.input(
            "x",
            type: ValueType(
                dtype: .float32, dimensions: [.symbolic("N"), .fixed(1), .fixed(8), .fixed(8)]))
        let sums = builder.node("Conv", name: "conv", inputs: [x, weight("w1", [8, 1, 3, 3])])
        let scales = (0..<4).map {
            builder.constant("s\($0)", Tensor(shape: [8], scalars: (1...8).map { Float($0) / 8 }))
        }
        let norm = builder.node("BatchNormalization", name: "norm", inputs: [sums] + scales)
        let units = builder.node("Relu", inputs: [norm])
        let flat = builder.node("Flatten", inputs: [units])
        let hidden = builder.node("MatMul", name: "fc1", inputs: [flat, weight("w2", [288, 32])])
        let active = builder.node("Relu", inputs: [hidden])
        let output = builder.node("MatMul", name: "fc2", inputs: [active, weight("w3", [32, 10])])
        try ONNXModel.write(try builder.finish(outputs: [output]), to: folder("dense.onnx"))
        let record = try prune(
            folder, "--granularity", "channel", "--first-and-last", "--criterion", "bn-scale",
            "--max-accuracy-drop", "0.99", "--batch-size", "256")
        #expect(try share(record, of: "macs") < 0.9)
    }

    @Test(arguments: [
        ["--method", "lagrangian"], ["--method", "lagrangian", "--lambda", "1", "--max-macs", "0.5"],
        ["--method", "lagrangian", "--lambda", "0"], ["--lambda", "1", "--sparsity", "0.5"],
        ["--cost", "macs", "--sparsity", "0.5"], ["--method", "l0", "--max-macs", "0.5"],
        ["--method", "rigl", "--granularity", "channel", "--max-macs", "0.5"],
        ["--method", "lagrangian", "--granularity", "2:4"],
        ["--method", "lagrangian", "--granularity", "channel", "--sparsity", "0.5"],
        ["--method", "lagrangian", "--sparsity", "0.5", "--schedule", "cubic"],
        ["--method", "lagrangian", "--sparsity", "0.5", "--dry-run"],
        ["--max-accuracy-drop", "0.1", "--sparsity", "0.5"], ["--max-accuracy-drop", "0.1", "--dry-run"],
        ["--max-accuracy-drop", "1"],
        ["--method", "lagrangian", "--sparsity", "0.5", "--penalty-share", "0"],
    ])
    func wrongUsageIsRefused(arguments: [String]) {
        let result = tool(["prune", "m.onnx", "--data", "digits", "-o", "out.onnx"] + arguments)
        #expect(result.code == 64, "\(arguments)")
    }
}
