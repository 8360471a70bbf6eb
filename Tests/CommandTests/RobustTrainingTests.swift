import Foundation
import Testing

/// `--adversarial` and `--spectral-penalty`, of every command that trains.
struct RobustTrainingTests {
    private static let robust = [
        "--adversarial", "4/255", "--adversarial-steps", "2", "--spectral-penalty", "0.02",
    ]
    private static let quick = ["--data", "digits", "--quiet", "--json"]

    @Test(arguments: [
        ["--adversarial", "0"], ["--adversarial", "-1/255"], ["--adversarial", "1/0"],
        ["--adversarial", "1/2/3"], ["--adversarial", "wide"], ["--adversarial-steps", "3"],
        ["--adversarial", "0.1", "--adversarial-steps", "0"], ["--spectral-penalty", "0"],
        ["--spectral-penalty", "inf"],
    ])
    func wrongUsageIs64(options: [String]) {
        let train = ["train", "--arch", "tiny-cnn", "--data", "digits", "-o", "m.onnx"]
        let prune = ["prune", "m.onnx", "--sparsity", "0.5", "--data", "digits", "-o", "n.onnx"]
        for command in [train, prune] {
            let result = tool(command + options)
            #expect(result.code == 64, "\(result.error)")
        }
    }

    /// Each command trains another network with the options, and the same again.
    @Test func commandsTrainRobustly() throws {
        let folder = try TrainedModel.folder()
        let prune = ["prune", folder("dense.onnx"), "--sparsity", "0.5", "--finetune-epochs", "1"]
        for (name, command) in [
            ("trained", ["train", "--arch", "tiny-cnn", "--epochs", "1"]),
            ("tuned", ["finetune", folder("dense.onnx"), "--epochs", "1"]), ("pruned", prune),
            (
                "gated",
                prune.map { $0 == "--sparsity" ? "--max-macs" : $0 } + [
                    "--granularity", "channel", "--method", "l0", "--finetune-epochs", "2",
                ]
            ),
        ] {
            var models: [Data] = []
            for options in [[], Self.robust, Self.robust] {
                let output = folder("\(name)-\(models.count).onnx")
                let result = tool(command + Self.quick + options + ["-o", output])
                try #require(result.code == 0, "\(result.error)")
                models.append(try bytes(output))
            }
            #expect(models[0] != models[1] && models[1] == models[2], "\(name)")
        }
    }

    /// A checkpoint belongs to its settings.
    @Test func changedOptionsDoNotResume() throws {
        let folder = try TemporaryFolder()
        let command =
            [
                "train", "--arch", "tiny-cnn", "--epochs", "1", "--checkpoint", folder("run.npz"), "-o",
                folder("m.onnx"),
            ]
            + Self.quick
        #expect(tool(command + ["--adversarial", "0.01", "--adversarial-steps", "1"]).code == 0)
        for options in [
            [], ["--adversarial", "0.02", "--adversarial-steps", "1"], ["--spectral-penalty", "0.01"],
        ] {
            let result = tool(command + options + ["--resume"])
            #expect(result.code == 1)
            #expect(result.error.contains("adversarial training, radius 0.01, 1 steps"), "\(result.error)")
        }
        #expect(tool(command + ["--adversarial", "0.01", "--adversarial-steps", "1", "--resume"]).code == 0)
    }

    /// The bound on the Lipschitz constant is a third objective, and a penalty on the norms lowers it.
    @Test func frontsKnowTheLipschitzBound() throws {
        let folder = try TrainedModel.folder()
        func points(_ options: [String]) throws -> [String: [String: Double]] {
            let result = tool(
                ["pareto", folder("dense.onnx"), "--methods", "one-shot", "--budgets", "0.7,0.5"] + Self.quick
                    + [
                        "--finetune-epochs", "2", "--objectives", "macs,lipschitz", "--store",
                        folder("runs.sqlite"), "--choose", "lipschitz<=1e9,macs<=0.6",
                    ] + options)
            try #require(result.code == 0, "\(result.error)")
            let document = try result.document()
            let volume = try #require(document["hypervolume"] as? Double)
            #expect(volume > 0 && volume < 1)
            let trade = try #require(document["trade"] as? [String: Any])
            let objectives = try #require(trade["objectives"] as? [[String: Any]])
            #expect(objectives.map { $0["name"] as? String } == ["accuracy-drop", "macs", "lipschitz"])
            #expect(objectives.map { $0["unit"] as? String } == ["share", "share", ""])
            var values: [String: [String: Double]] = [:]
            for list in ["front", "dominated"] {
                for point in try #require(document[list] as? [[String: Any]]) {
                    values[try #require(point["key"] as? String)] = point["values"] as? [String: Double]
                }
            }
            return values
        }
        let plain = try points([])
        let penalized = try points(["--spectral-penalty", "0.5"])
        #expect(plain.count == 3 && Set(plain.keys) == Set(penalized.keys))
        for (key, values) in plain {
            let bound = try #require(values["lipschitz"])
            let other = try #require(penalized[key]?["lipschitz"])
            #expect(
                key.hasPrefix("dense") ? other == bound : other < 0.8 * bound, "\(key): \(other), \(bound)")
        }
    }
}
