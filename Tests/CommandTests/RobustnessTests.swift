import Espalier
import EspalierTensors
import Foundation
import Testing

/// `robustness`: what is proven of networks and what attacks refute.
struct RobustnessTests {
    private static let quick = [
        "--data", "digits", "--samples", "60", "--steps", "4", "--restarts", "1", "--quiet",
    ]

    /// A trained network, and the same with half of its weights.
    private func networks() throws -> TemporaryFolder {
        let folder = try TrainedModel.folder()
        let result = tool(
            "prune", folder("dense.onnx"), "--data", "digits", "--sparsity", "0.5", "--finetune-epochs", "0",
            "-o", folder("pruned.onnx"), "--quiet")
        try #require(result.code == 0, "\(result.error)")
        return folder
    }

    private func accuracies(_ list: Any?) throws -> [(epsilon: Double, accuracy: Double)] {
        try #require(list as? [[String: Double]]).map {
            (try #require($0["epsilon"]), try #require($0["accuracy"]))
        }
    }

    private func robustness(_ result: ToolResult) throws -> [String: Any] {
        try #require(result.code == 0, "\(result.error)")
        return try #require(try result.document()["robustness"] as? [String: Any])
    }

    @Test(arguments: ["l2", "l-infinity"]) func twoNetworksAreCompared(norm: String) throws {
        let folder = try networks()
        let asked =
            Self.quick + [
                "--norm", norm, "--epsilons", "0,0.05,0.3", "--json", "--store", folder("runs.sqlite"),
            ]
        let result = tool(
            ["robustness", folder("dense.onnx"), folder("pruned.onnx")] + asked
                + ["--report", folder("robustness.html")])
        let robustness = try robustness(result)
        #expect(robustness["norm"] as? String == norm)
        // The document's own keys are the first network's.
        let upper = try result.number("lipschitz", "upper")
        let lower = try result.number("lipschitz", "lower")
        #expect(lower > 0 && lower < upper)
        let layers = try result.entries("layers")
        #expect(layers.count == 4)
        #expect(layers.values.allSatisfy { ($0["spectralNorm"] as? Double ?? 0) > 0 })
        let networks = try #require(robustness["networks"] as? [[String: Any]])
        #expect(networks.compactMap { $0["name"] as? String } == ["dense", "pruned"])
        let document = try result.document()
        for network in networks + [document] {
            let certified = try accuracies(network["certified"])
            let attacked = try accuracies(network["attacked"])
            #expect(certified.map(\.epsilon) == attacked.map(\.epsilon) && certified[0].epsilon == 0)
            for (proven, left) in zip(certified, attacked) { #expect(proven.accuracy <= left.accuracy) }
            for curve in [certified, attacked] {
                for (one, next) in zip(curve, curve.dropFirst()) { #expect(one.accuracy >= next.accuracy) }
            }
            #expect(certified[0].accuracy > 0.8)
            #expect(attacked.last?.accuracy ?? 1 < attacked[0].accuracy)
        }
        // What pruning moved: exact for every sample, so also for means.
        let change = try #require(networks[1]["change"] as? [String: Any])
        func mean(_ key: String) throws -> Double {
            try #require((change[key] as? [String: Double])?["mean"])
        }
        let constant = try #require(change["logLipschitz"] as? Double)
        #expect(abs(try mean("logRadius") - (try mean("logMargin") - constant)) < 1e-12)
        let pruned = try #require((networks[1]["lipschitz"] as? [String: Double])?["upper"])
        #expect(abs(constant - log(pruned / upper)) < 1e-12)
        let counted = try ["samples", "lost", "gained"].map { try #require(change[$0] as? Int) }
        #expect(counted[0] > 0 && counted.reduce(0, +) <= 60)
        let page = try String(contentsOfFile: folder("robustness.html"), encoding: .utf8)
        #expect(page.contains("Lipschitz radii ×") && page.contains("Spectral norms"))
        // What a record says can be rendered again.
        try Data(result.output.utf8).write(to: URL(filePath: folder("run.json")))
        #expect(tool("report", folder("run.json"), "-o", folder("again.html"), "--quiet").code == 0)
        #expect(try String(contentsOfFile: folder("again.html"), encoding: .utf8).contains("Spectral norms"))
        // What is measured is not measured again, in whatever company.
        let alone = tool(["robustness", folder("pruned.onnx")] + asked)
        #expect(try self.robustness(alone)["networks"] is [Any])
        #expect(try CompareTests.trialCount(folder("runs.sqlite")) == 2)
        #expect(
            try accuracies(alone.document()["certified"]).map(\.accuracy)
                == accuracies(networks[1]["certified"]).map(\.accuracy))
    }

    /// Radii are told in units before deviations were divided by: the same digits can be another measurement.
    @Test func otherPreparationsOfTheSameValuesAreOthers() throws {
        let folder = try TrainedModel.folder()
        var bounds: [Double] = []
        for preparation in [["--scale", "0.125"], ["--scale", "0.0625", "--std", "0.5"]] {
            let result = tool(
                ["robustness", folder("dense.onnx")] + Self.quick + preparation + [
                    "--epsilons", "0,0.05", "--certificates", "lipschitz", "--attacks", "noise", "--json",
                    "--store", folder("runs.sqlite"),
                ])
            try #require(result.code == 0, "\(result.error)")
            bounds.append(try result.number("lipschitz", "upper"))
        }
        #expect(abs(bounds[1] / bounds[0] - 2) < 0.01, "\(bounds)")
    }

    @Test func tablesTellWhatIsAsked() throws {
        let folder = try networks()
        let result = tool(
            ["robustness", folder("dense.onnx"), folder("pruned.onnx")] + Self.quick + [
                "--epsilons", "0,1/255,0.3", "--certificates", "lipschitz-pairs", "--attacks", "noise",
                "--store", folder("runs.sqlite"),
            ])
        #expect(result.code == 0, "\(result.error)")
        for text in ["lipschitz-pairs", "noise", "1/255", "0.3", "log radius", "pruned against dense"] {
            #expect(result.output.contains(text), "\(text)")
        }
        #expect(!result.output.contains("pgd"))
    }

    private static func sweep(_ folder: TemporaryFolder, _ store: String) -> [String] {
        ["robustness", folder("dense.onnx"), "--json"] + quick + [
            "--sparsities", "0.5,0.9", "--criterion", "magnitude,random", "--seeds", "2",
            "--finetune-epochs", "1", "--threads", "2", "--epsilons", "0,0.1", "--certificates", "lipschitz",
            "--store", folder(store),
        ]
    }

    /// Killed again and again, then run to the end: the same to the last digit.
    @Test(arguments: [UInt64(1)]) func killedSweepsEndAsOthers(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let folder = try TrainedModel.folder()
        let whole = tool(Self.sweep(folder, "whole.sqlite"))
        let undisturbed = try #require(try robustness(whole)["sweep"] as? NSArray)
        let kills = try Program.killAgainAndAgain(
            Self.sweep(folder, "killed.sqlite"), files: URL(filePath: folder("killed.sqlite.files")),
            random: &random)
        #expect(kills > 0)
        let killed = try robustness(tool(Self.sweep(folder, "killed.sqlite")))
        #expect(try #require(killed["sweep"] as? NSArray) == undisturbed)
        // The dense network, and two criteria at two sparsities with two seeds.
        #expect(try CompareTests.trialCount(folder("killed.sqlite")) == 1 + 2 * 2 * 2)
        let curves = try #require(undisturbed as? [[String: Any]])
        #expect(curves.compactMap { $0["criterion"] as? String } == ["magnitude", "random"])
        for curve in curves {
            let points = try #require(curve["points"] as? [[String: Any]])
            #expect(points.compactMap { $0["sparsity"] as? Double } == [0.5, 0.9])
            for point in points {
                #expect(point["runs"] as? Int == 2)
                #expect((point["accuracy"] as? [String: Double])?["std"] != nil)
                func mean(_ key: String) throws -> Double {
                    try #require((point[key] as? [String: Double])?["mean"])
                }
                let radius = try mean("logMargin") - mean("logLipschitz")
                #expect(abs(try mean("logRadius") - radius) < 1e-9)
            }
        }
    }

    /// All networks are given the same samples: if they were made for others, somebody must say how.
    @Test func differentPreparationIsRefused() throws {
        let folder = try TrainedModel.folder()
        let other = tool(
            "finetune", folder("dense.onnx"), "--data", "digits", "--mean", "0.5", "--std", "0.1", "--epochs",
            "1",
            "-o", folder("other.onnx"), "--quiet")
        try #require(other.code == 0, "\(other.error)")
        let arguments =
            ["robustness", folder("dense.onnx"), folder("other.onnx")] + Self.quick
            + ["--attacks", "fgsm", "--certificates", "lipschitz", "--store", folder("runs.sqlite")]
        let refused = tool(arguments)
        #expect(refused.code == 1 && refused.error.contains("prepared in different ways"), "\(refused.error)")
        #expect(tool(arguments + ["--scale", "0.0625", "--mean", "0.5", "--std", "0.1"]).code == 0)
    }

    /// What has no constant is told by name, and the attacks stand: here hidden units are multiplied by themselves.
    @Test func networksWithoutAConstantAreStillAttacked() throws {
        let folder = try TemporaryFolder()
        var random = RandomSource(seed: 1)
        var builder = GraphBuilder(name: "squares")
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(64)]))
        func weight(_ name: String, _ rows: Int, _ columns: Int) -> ValueID {
            builder.constant(
                name,
                Tensor(
                    shape: [rows, columns],
                    scalars: (0..<(rows * columns)).map { _ in Float(random.normal()) }))
        }
        let hidden = builder.node("MatMul", inputs: [x, weight("w1", 64, 20)])
        let squares = builder.node("Mul", name: "squares", inputs: [hidden, hidden])
        let output = builder.node("MatMul", inputs: [squares, weight("w2", 20, 10)])
        try ONNXModel.write(try builder.finish(outputs: [output]), to: folder("model.onnx"))
        let result = tool(
            ["robustness", folder("model.onnx"), "--json", "--layout", "flat"] + Self.quick
                + ["--store", folder("runs.sqlite")])
        let network = try #require((try robustness(result)["networks"] as? [[String: Any]])?.first)
        let refusals = try #require(network["refusals"] as? [[String: String]])
        #expect(refusals.contains { $0["reason"]?.contains("squares") == true })
        #expect(try result.number("lipschitz", "lower") > 0)
        #expect((try result.document()["lipschitz"] as? [String: Double])?["upper"] == nil)
        // That nothing could be tried does not mean that nothing is true.
        #expect(try accuracies(result.document()["certified"]).isEmpty)
        let refused = refusals.compactMap { $0["name"] }.joined(separator: ", ")
        for name in ["lipschitz", "lipschitz-pairs", "intervals", "crown"] {
            #expect(refused.components(separatedBy: ", ").contains(name), "\(refused)")
        }
        #expect((network["margins"] as? [Double])?.count == 60)
    }

    @Test(arguments: [
        [], ["m.onnx", "--norm", "l1"], ["m.onnx", "--epsilons", "-1"], ["m.onnx", "--epsilons", "1/0"],
        ["m.onnx", "--certificates", "magic"], ["m.onnx", "--attacks", "pgd,pgd"],
        ["m.onnx", "--sparsities", "1"], ["m.onnx", "--sparsities", "0.5", "--criterion", "nothing"],
        ["m.onnx", "--sparsities", "0.5", "--seeds", "0"],
        ["m.onnx", "n.onnx", "--sparsities", "0.5", "--seeds", "1"],
        ["m.onnx", "--sparsities", "0.5", "--schedule", "cubic", "--finetune-epochs", "0"],
        ["m.onnx", "--steps", "0"], ["m.onnx", "--samples", "-1"],
        // Nothing is pruned without --sparsities.
        ["m.onnx", "--criterion", "taylor"], ["m.onnx", "--seeds", "2"],
        ["m.onnx", "--granularity", "channel"],
        ["m.onnx", "--finetune-epochs", "2"], ["m.onnx", "--adversarial", "0.1"],
        ["m.onnx", "--scope", "uniform"],
    ])
    func wrongUsageIsRefused(arguments: [String]) {
        #expect(tool(["robustness", "--data", "digits"] + arguments).code == 64)
    }
}
