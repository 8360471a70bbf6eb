import Espalier
import EspalierTensors
import Foundation
import Testing

/// `pareto`: what accuracy costs.
struct ParetoTests {
    private static let quick = [
        "pareto", "--data", "digits", "--finetune-epochs", "2", "--json", "--quiet",
    ]

    /// A point of the front or behind it.
    private struct Point: Equatable {
        let key: String
        let method: String
        let values: [String: Double]
        let accuracy: Double
        let widths: [Int]
        let arguments: [String]?

        init(_ json: [String: Any]) throws {
            key = try #require(json["key"] as? String)
            method = try #require(json["method"] as? String)
            values = try #require(json["values"] as? [String: Double])
            accuracy = try #require(json["accuracy"] as? Double)
            widths = (json["widths"] as? [[String: Any]] ?? []).compactMap { $0["kept"] as? Int }
            arguments = json["arguments"] as? [String]
        }
    }

    private struct Result: Equatable {
        let front: [Point]
        let dominated: [Point]
        let hypervolume: Double
        let chosen: Point?

        init(_ result: ToolResult) throws {
            try #require(result.code == 0, "\(result.error)")
            let document = try result.document()
            front = try #require(document["front"] as? [[String: Any]]).map { try Point($0) }
            dominated = try #require(document["dominated"] as? [[String: Any]]).map { try Point($0) }
            hypervolume = try #require(document["hypervolume"] as? Double)
            chosen = try (document["chosen"] as? [String: Any]).map { try Point($0) }
        }

        var points: [Point] { front + dominated }
    }

    @Test func methodsCompeteAndOneIsChosen() throws {
        let folder = try TrainedModel.folder()
        let arguments =
            Self.quick + [
                folder("dense.onnx"), "--methods", "lagrangian,budget,l0,one-shot,iterative,from-scratch",
                "--lambdas", "3,30", "--budgets", "0.7,0.4", "--objectives", "macs,parameters",
                "--scratch-epochs", "2", "--threads", "2", "--store", folder("runs.sqlite"), "--report",
                folder("front.html"), "--choose", "macs<=0.75, parameters <= 0.9", "-o",
                folder("chosen.onnx"),
            ]
        let result = try Result(tool(arguments))
        #expect(result.points.count == 1 + 6 * 2)
        // No point of the front is as good as another in everything and better in something; all others are.
        let names = ["accuracy-drop", "macs", "parameters"]
        func dominates(_ one: Point, _ other: Point) -> Bool {
            let pairs = names.map { (one.values[$0] ?? .nan, other.values[$0] ?? .nan) }
            return pairs.allSatisfy { $0 <= $1 } && pairs.contains { $0 < $1 }
        }
        for point in result.front { #expect(!result.points.contains { dominates($0, point) }) }
        for point in result.dominated { #expect(result.front.contains { dominates($0, point) }) }
        #expect(result.hypervolume > 0)
        for point in result.points {
            let budget = point.key.split(separator: "/").first { $0.hasPrefix("budget=") }
            guard let budget = budget.flatMap({ Double($0.dropFirst(7)) }) else { continue }
            let macs = try #require(point.values["macs"])
            #expect(macs <= budget && macs > budget - 0.15, "\(point)")
        }
        let chosen = try #require(result.chosen)
        #expect(try #require(chosen.values["macs"]) <= 0.75)
        let evaluated = try tool("eval", folder("chosen.onnx"), "--data", "digits", "--json", "--quiet")
            .document()
        #expect(evaluated["accuracy"] as? Double == chosen.accuracy)
        #expect(try String(contentsOfFile: folder("front.html"), encoding: .utf8).contains("from-scratch"))
        // The first objective is what the points lie over.
        let document = try tool(arguments + ["--objectives", "parameters,macs"]).document()
        let front = try #require(document["front"] as? [[String: Any]])
        for point in front {
            let values = try #require(point["values"] as? [String: Double])
            #expect(point["cost"] as? Double == values["parameters"])
        }
        #expect(front.contains { $0["cost"] as? Double ?? 1 < 1 })
        // Everything is kept: again is at once, and the same.
        #expect(try Result(tool(arguments)) == result)
    }

    /// What a point's command says makes the point.
    @Test(arguments: [[], ["--criterion", "random", "--split-seed", "3", "--seed", "4", "--seeds", "2"]])
    func commandsOfPointsMakeThem(_ options: [String]) throws {
        let folder = try TrainedModel.folder()
        let result = try Result(
            tool(
                Self.quick + options + [
                    folder("dense.onnx"), "--methods", "budget,l0,one-shot,iterative", "--budgets", "0.5",
                    "--store", folder("runs.sqlite"),
                ]))
        for point in result.points where point.method != "dense" {
            let arguments = try #require(point.arguments)
            let output = folder("\(point.method).onnx")
            let pruned = tool(arguments + ["-o", output, "--json", "--quiet"])
            try #require(pruned.code == 0, "\(pruned.error)")
            let after = try #require(try pruned.document()["after"] as? [String: Any])
            #expect(after["accuracy"] as? Double == point.accuracy, "\(point.key)")
        }
    }

    /// A price takes no less than a smaller one that it went on from.
    @Test func pathOfPricesFalls() throws {
        let folder = try TrainedModel.folder()
        let result = try Result(
            tool(
                Self.quick + [
                    folder("dense.onnx"), "--methods", "lagrangian", "--lambdas", "1,5,25,125", "--store",
                    folder("runs.sqlite"),
                ]))
        let path = try ["1.0", "5.0/after=1.0", "25.0/after=1.0,5.0", "125.0/after=1.0,5.0,25.0"].map {
            price in
            try #require(result.points.first { $0.key == "lagrangian/lambda=\(price)/seed=0" })
        }
        for (one, next) in zip(path, path.dropFirst()) {
            #expect(try #require(next.values["macs"]) <= #require(one.values["macs"]))
            for (width, narrower) in zip(one.widths, next.widths) { #expect(narrower <= width) }
        }
        #expect(try #require(path[3].values["macs"]) < 0.5)
    }

    /// A price is another network behind other prices; what the paths have in common is not done again.
    @Test func pathsOfOtherPricesCoexist() throws {
        let folder = try TrainedModel.folder()
        func path(_ prices: String) throws -> [String] {
            try Result(
                tool(
                    Self.quick + [
                        folder("dense.onnx"), "--methods", "lagrangian", "--lambdas", prices, "--store",
                        folder("runs.sqlite"),
                    ])
            ).points.map(\.key)
        }
        #expect(try path("1,25").contains("lagrangian/lambda=25.0/after=1.0/seed=0"))
        #expect(try path("1,5,25").contains("lagrangian/lambda=25.0/after=1.0,5.0/seed=0"))
        let listed = try tool("runs", "list", "--store", folder("runs.sqlite"), "--json", "--quiet")
            .document()
        let experiments = try #require(listed["experiments"] as? [[String: Any]])
        #expect(experiments.count == 1)
    }

    /// Killed again and again, then run to the end: the same front to the last digit.
    @Test(arguments: [UInt64(1), 2])
    func killedSearchesEndAsOthers(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let folder = try TrainedModel.folder()
        func arguments(_ store: String) -> [String] {
            Self.quick + [
                folder("dense.onnx"), "--methods", "lagrangian,budget,l0", "--lambdas", "5,50", "--budgets",
                "0.5", "--finetune-epochs", "4", "--threads", "2", "--store", folder(store),
            ]
        }
        let undisturbed = try Result(tool(arguments("whole.sqlite")))
        let kills = try Program.killAgainAndAgain(
            arguments("killed.sqlite"), files: URL(filePath: folder("killed.sqlite.files")), random: &random)
        #expect(kills > 0)
        #expect(try Result(tool(arguments("killed.sqlite"))) == undisturbed)
    }

    /// Another seed finds the dense network in the store, and evidence is looked for beside the model.
    @Test func evidenceOfTrainingIsReadAndOtherSeedsFollow() throws {
        let folder = try TrainedModel.folder()
        let trained = tool(
            "finetune", folder("dense.onnx"), "--data", "digits", "--epochs", "1", "--collect", "movement",
            "-o", folder("moved.onnx"), "--quiet")
        try #require(trained.code == 0, "\(trained.error)")
        for seed in ["0", "1"] {
            let result = try Result(
                tool(
                    Self.quick + [
                        folder("moved.onnx"), "--methods", "one-shot",
                        "--criterion", "movement", "--budgets", "0.6", "--seed", seed, "--seeds", "1",
                        "--store", folder("runs.sqlite"),
                    ]))
            #expect(result.points.count == 2)
        }
    }

    /// A share of the bytes has nothing to do with whether the given model keeps its weights in a second file.
    @Test func bytesAreThoseOfModelsWrittenAlike() throws {
        let folder = try TrainedModel.folder()
        let graph = try ONNXModel.load(from: folder("dense.onnx"))
        try ONNXModel.stage(
            graph, at: folder("apart.onnx"), options: ONNXExportOptions(weights: .external)
        ).commit()
        let shares = try ["dense", "apart"].map { name in
            let result = try Result(
                tool(
                    Self.quick + [
                        folder("\(name).onnx"), "--methods", "one-shot", "--budgets", "0.5", "--objectives",
                        "bytes", "--store", folder("\(name).sqlite"),
                    ]))
            let point = try #require(result.points.first { $0.method == "one-shot" })
            return try #require(point.values["bytes"])
        }
        #expect(shares[0] == shares[1] && shares[0] < 1, "\(shares)")
    }

    @Test func unattainableIsRefusedAtOnce() throws {
        let folder = try TrainedModel.folder()
        let model = folder("dense.onnx")
        let budget = tool(Self.quick + [model, "--budgets", "0.01", "--store", folder("a.sqlite")])
        #expect(budget.code == 1)
        #expect(budget.error.contains("the least is"))
        let choice = tool(
            Self.quick + [
                model, "--methods", "one-shot", "--budgets", "0.9", "--choose", "macs<=0.1", "-o",
                folder("c.onnx"),
                "--store", folder("a.sqlite"),
            ])
        #expect(choice.code == 1)
        #expect(choice.error.contains("no point satisfies macs<=0.1"))
        #expect(choice.error.contains("the nearest is one-shot/budget=0.9/seed=0, with macs 0."))
        #expect(!FileManager.default.fileExists(atPath: folder("c.onnx")))
    }

    @Test(arguments: [
        [], ["m.onnx", "--methods", "magic"], ["m.onnx", "--methods", "budget,budget"],
        ["m.onnx", "--methods", "from-scratch"], ["m.onnx", "--points", "1"],
        ["m.onnx", "--lambdas", "0,1"], ["m.onnx", "--choose", "speed<=1"],
        ["m.onnx", "--choose", "macs>=0.5"], ["m.onnx", "-o", "out.onnx"],
        ["m.onnx", "--objectives", "macs,macs"], ["m.onnx", "--granularity", "2:4"],
        ["m.onnx", "--granularity", "element", "--methods", "l0"], ["m.onnx", "--finetune-epochs", "1"],
        ["m.onnx", "n.onnx", "--seeds", "1"],
    ])
    func wrongUsageIsRefused(arguments: [String]) {
        let result = tool(["pareto", "--data", "digits"] + arguments)
        #expect(result.code == 64)
        #expect(!result.error.isEmpty)
    }
}
