import EspalierTensors
import Foundation
import Testing

/// `compare`: the same networks by several criteria.
struct CompareTests {
    private static let quick = [
        "compare", "--data", "digits", "--sparsities", "0.5,0.9", "--evidence-samples", "200", "--quiet",
    ]

    /// The numbers of a comparison that do not depend on time: by criterion, at each sparsity, mean and deviation.
    private static func figures(_ result: ToolResult) throws -> [String: [[Double]]] {
        try #require(result.code == 0, "\(result.error)")
        let curves = try #require(try result.document()["curves"] as? [[String: Any]])
        return try Dictionary(
            uniqueKeysWithValues: curves.map { curve in
                let points = try #require(curve["points"] as? [[String: Any]])
                return (
                    try #require(curve["criterion"] as? String),
                    points.map { point in
                        ["sparsity", "mean", "std", "validation", "effectiveMacs"].map {
                            point[$0] as? Double ?? -1
                        }
                    }
                )
            })
    }

    @Test func addingACriterionChangesNoOtherAndRepeatsNothing() throws {
        let folder = try TrainedModel.folder()
        let common = Self.quick + [folder("dense.onnx"), "--seeds", "2", "--json"]
        let alone = try Self.figures(
            tool(common + ["--criteria", "fisher-sampled", "--store", folder("alone.sqlite")]))
        let store = ["--store", folder("runs.sqlite")]
        let first = try Self.figures(tool(common + store + ["--criteria", "magnitude,random,saliency"]))
        let trials = try Self.trialCount(folder("runs.sqlite"))
        // The dense network, and three criteria at two sparsities with two seeds.
        #expect(trials == 1 + 3 * 2 * 2)
        let more = try Self.figures(
            tool(common + store + ["--criteria", "magnitude,random,saliency,fisher-sampled"]))
        #expect(try Self.trialCount(folder("runs.sqlite")) == trials + 2 * 2)
        for (criterion, points) in first { #expect(more[criterion] == points) }
        #expect(more["fisher-sampled"] == alone["fisher-sampled"])
        // The seed decides on what a random criterion draws, and on nothing of magnitude.
        #expect(first["magnitude"]?.allSatisfy { $0[2] == 0 } == true)
        #expect(first["random"]?.contains { $0[2] > 0 } == true)
        // Half of the weights of an overgrown network are dispensable, but not any half.
        let (magnitude, random) = (try #require(first["magnitude"]), try #require(first["random"]))
        #expect(magnitude[0][1] > random[0][1] + 0.1)
    }

    /// Two seeds of one model, by criteria that no seed decides on, are copies: their difference has no interval.
    @Test func copiesShowNoDifference() throws {
        let folder = try TrainedModel.folder()
        let arguments =
            Self.quick + [
                folder("dense.onnx"), "--criteria", "magnitude,lamp", "--seeds", "2", "--store",
                folder("copies.sqlite"),
            ]
        let text = tool(arguments)
        try #require(text.code == 0, "\(text.error)")
        let row = try #require(
            text.output.split(separator: "\n").last { $0.hasPrefix("lamp") })
        #expect(row.contains("(all pairs equal)") && !row.contains("["))
        let curves = try #require(
            try tool(arguments + ["--json"]).document()["curves"] as? [[String: Any]])
        let points = try #require(curves.last?["points"] as? [[String: Any]])
        for point in points {
            let difference = try #require(point["difference"] as? [String: Any])
            #expect(Set(difference.keys) == ["mean"])
        }
    }

    /// Without batch norm there are no scales to go by, and nothing was collected in training: neither is a failure.
    @Test func allAreThoseThatApply() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "compare", folder("dense.onnx"), "--data", "digits", "--criteria", "all", "--granularity",
            "channel",
            "--sparsities", "0.3", "--seeds", "1", "--evidence-samples", "20", "--threads", "2", "--store",
            folder("all.sqlite"), "--json", "--quiet")
        #expect(result.code == 0, "\(result.error)")
        let curves = try #require(try result.document()["curves"] as? [[String: Any]])
        let names = Set(curves.compactMap { $0["criterion"] as? String })
        #expect(!names.contains("bn-scale") && !names.contains("movement"))
        #expect(names.isSuperset(of: ["magnitude", "fisher", "hrank", "synflow", "wood-fisher"]))
    }

    @Test func networksAreTrainedForEachSeedAndRepaired() throws {
        let folder = try TemporaryFolder()
        let arguments =
            Self.quick + [
                "--arch", "tiny-cnn", "--epochs", "2", "--criteria", "magnitude,movement", "--seeds", "2",
                "--threads", "2", "--finetune-epochs", "1", "--store", folder("runs.sqlite"), "--csv",
                folder("curves.csv"), "--report", folder("curves.html"),
            ]
        let result = tool(arguments)
        try #require(result.code == 0, "\(result.error)")
        #expect(result.output.contains("minus magnitude"))
        // Two dense networks, the same two watched for movement, and two criteria at two sparsities.
        #expect(try Self.trialCount(folder("runs.sqlite")) == 2 + 2 + 2 * 2 * 2)
        let lines = try String(contentsOfFile: folder("curves.csv"), encoding: .utf8)
            .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(lines.count == 1 + 2 + 8)
        #expect(Set(lines.map(\.count)).count == 1)
        let page = try String(contentsOfFile: folder("curves.html"), encoding: .utf8)
        #expect(page.contains("Accuracy against sparsity") && page.contains("movement"))
        let listed = try tool("runs", "list", "--store", folder("runs.sqlite"), "--json").document()
        let records = try #require(listed["records"] as? [[String: Any]])
        #expect(records.count == 12)
        // However many run at a time, the experiment is the same, and all is found.
        var again = arguments
        again[try #require(again.firstIndex(of: "--threads")) + 1] = "1"
        #expect(tool(again).output == result.output)
        #expect(try Self.trialCount(folder("runs.sqlite")) == 12)
    }

    /// Killed again and again while trials train, then run to the end: as if nothing had happened.
    @Test(arguments: [UInt64(1), 2])
    func killedComparisonsEndAsOthers(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let folder = try TemporaryFolder()
        func arguments(_ store: String) -> [String] {
            [
                "compare", "--arch", "tiny-cnn", "--epochs", "2", "--data", "digits", "--criteria",
                "magnitude,taylor", "--sparsities", "0.8", "--seeds", "2", "--finetune-epochs", "2",
                "--schedule", "cubic", "--evidence-samples", "100", "--threads", "2", "--json", "--quiet",
                "--store", folder(store),
            ]
        }
        let undisturbed = try Self.figures(tool(arguments("whole.sqlite")))
        let kills = try Program.killAgainAndAgain(
            arguments("killed.sqlite"), files: URL(filePath: folder("killed.sqlite.files")), random: &random)
        #expect(kills > 0)
        #expect(try Self.figures(tool(arguments("killed.sqlite"))) == undisturbed)
    }

    @Test(arguments: [
        ["--criteria", "magnitude"],
        ["--criteria", "magnitud", "m.onnx"],
        ["--criteria", "magnitude,magnitude", "m.onnx"],
        ["--criteria", "hrank", "m.onnx"],
        ["--criteria", "magnitude", "m.onnx", "--arch", "tiny-cnn"],
        ["--criteria", "magnitude", "--arch", "tiny"],
        ["--criteria", "magnitude", "m.onnx", "--seeds", "0"],
        ["--criteria", "magnitude", "m.onnx", "n.onnx", "--seeds", "1"],
        ["--criteria", "magnitude", "m.onnx", "--schedule", "cubic"],
        ["--criteria", "magnitude", "m.onnx", "--granularity", "2:4"],
        ["--criteria", "magnitude", "m.onnx", "--sparsities", "1"],
    ])
    func wrongUsageIsRefused(arguments: [String]) {
        let result = tool(["compare", "--data", "digits", "--sparsities", "0.5"] + arguments)
        #expect(result.code == 64)
        #expect(!result.error.isEmpty)
    }

    /// Seeds take models in turn, which another architecture among them would make nonsense of.
    @Test(arguments: [
        ["compare", "--criteria", "magnitude", "--sparsities", "0.5"], ["pareto", "--methods", "one-shot"],
        ["robustness", "--sparsities", "0.5"],
    ])
    func modelsOfAnotherArchitectureAreRefused(command: [String]) throws {
        let folder = try TrainedModel.folder()
        let slim = tool(
            "prune", folder("dense.onnx"), "--granularity", "channel", "--max-macs", "0.5", "--quiet", "-o",
            folder("slim.onnx"))
        try #require(slim.code == 0, "\(slim.error)")
        try FileManager.default.copyItem(atPath: folder("dense.onnx"), toPath: folder("again.onnx"))
        let result = tool(
            command + [
                folder("dense.onnx"), folder("slim.onnx"), folder("again.onnx"), "--data", "digits",
                "--store", folder("runs.sqlite"),
            ])
        #expect(result.code == 1)
        #expect(
            result.error.contains("\(folder("slim.onnx")): is built otherwise than \(folder("dense.onnx"))"),
            "\(result.error)")
    }

    @Test func failuresOfOneCriterionAreToldAndTheOthersStand() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            Self.quick + [
                folder("dense.onnx"), "--criteria", "magnitude,movement", "--seeds", "1", "--json",
                "--store", folder("runs.sqlite"),
            ])
        #expect(result.code == 1)
        #expect(result.error.contains("--collect movement"))
        let curves = try #require(try result.document()["curves"] as? [[String: Any]])
        #expect((curves[0]["points"] as? [Any])?.count == 2)
        #expect((curves[1]["points"] as? [Any])?.isEmpty == true)
    }

    /// The network at hand is the same whichever seed comes first.
    @Test func otherSeedsGoIntoTheSameStore() throws {
        let folder = try TrainedModel.folder()
        let common =
            Self.quick + [
                folder("dense.onnx"), "--criteria", "random", "--seeds", "1", "--store",
                folder("runs.sqlite"),
            ]
        for seed in ["0", "1"] {
            let result = tool(common + ["--seed", seed])
            #expect(result.code == 0, "\(result.error)")
        }
        #expect(try Self.trialCount(folder("runs.sqlite")) == 1 + 2 * 2)
    }

    static func trialCount(_ store: String) throws -> Int {
        let listed = try tool("runs", "list", "--store", store, "--json").document()
        let experiments = try #require(listed["experiments"] as? [[String: Any]])
        #expect(experiments.count == 1)
        let trials = try #require(experiments.first?["trials"] as? [String: Int])
        return try #require(trials["finished"])
    }
}
