import EspalierArchives
import EspalierPruning
import EspalierTensors
import Foundation
import Testing

struct ScoreTests {
    private func score(_ folder: TemporaryFolder, _ options: String...) -> ToolResult {
        tool(["score", folder("dense.onnx"), "--json", "--quiet"] + options)
    }

    /// The document names the first criterion and its layers; the archive has the weights' names and shapes.
    @Test func scoresOfWeights() throws {
        let folder = try TrainedModel.folder()
        let result = score(folder, "--criterion", "magnitude", "-o", folder("s.npz"))
        #expect(result.code == 0, "\(result.error)")
        let document = try result.document()
        #expect(document["criterion"] as? String == "magnitude")
        #expect(document["command"] as? String == "score")
        let layers = try result.entries("layers")
        #expect(layers.keys.sorted() == ["conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight"])
        let archive = try NpzArchive(contentsOf: folder("s.npz"))
        for (name, shape) in [("conv2.weight", [64, 32, 3, 3]), ("fc2.weight", [10, 128])]
            as [(String, Shape)]
        {
            let scores = try archive.tensor(name)
            #expect(scores.shape == shape)
            let values = scores.scalars(as: Double.self)
            let mean = values.reduce(0, +) / Double(values.count)
            #expect(abs(try #require(layers[name]?["mean"] as? Double) - mean) < 1e-6)
            #expect(abs(try #require(layers[name]?["max"] as? Double) - (values.max() ?? 0)) < 1e-6)
        }
        #expect(try archive.tensor("groups/conv2.weight").shape == [64])
    }

    /// Criteria that need other passes, or none, side by side; each says what it cost.
    @Test func severalCriteriaAtOnce() throws {
        let folder = try TrainedModel.folder()
        let result = score(
            folder, "--criterion", "lamp, saliency,firing", "--data", "digits", "--evidence-samples", "100",
            "-o", folder("s.npz"))
        #expect(result.code == 0, "\(result.error)")
        let scores = try result.entries("scores", by: "criterion")
        #expect(scores.keys.sorted() == ["firing", "lamp", "saliency"])
        #expect(scores["lamp"]?["evidenceBytes"] as? Int == 0)
        #expect(try #require(scores["saliency"]?["evidenceBytes"] as? Int) > 4 * 151_000)
        #expect(scores["firing"]?["granularity"] as? String == "channel")
        #expect(scores["saliency"]?["granularity"] as? String == "element")
        let names = try NpzArchive(contentsOf: folder("s.npz")).names
        #expect(names.contains("lamp/conv1.weight") && names.contains("firing/groups/fc1.weight"))
        #expect(!names.contains("firing/conv1.weight"))
        // One by one they say the same.
        let alone = score(
            folder, "--criterion", "saliency", "--data", "digits", "--evidence-samples", "100")
        let (one, several) = (try alone.entries("layers"), scores["saliency"]?["layers"] as? [[String: Any]])
        for layer in try #require(several) {
            let name = try #require(layer["name"] as? String)
            #expect(one[name]?["mean"] as? Double == layer["mean"] as? Double)
        }
    }

    @Test func firingIsReported() throws {
        let folder = try TrainedModel.folder()
        let result = score(
            folder, "--criterion", "firing", "--data", "digits", "--evidence-samples", "200", "--report",
            folder("r.html"))
        #expect(result.code == 0, "\(result.error)")
        let groups = try result.entries("firing")
        #expect(groups.keys.sorted() == ["conv1.weight", "conv2.weight", "fc1.weight"])
        let group = try #require(groups["fc1.weight"])
        let (samples, saliency) = (group["samples"] as? [Double], group["saliency"] as? [Double])
        #expect(samples?.count == 128 && saliency?.count == 128)
        // A unit that never fires has no salient incoming weight.
        for (share, size) in zip(try #require(samples), try #require(saliency)) where share == 0 {
            #expect(size == 0)
        }
        #expect(group["dead"] as? Int == samples?.count { $0 == 0 })
        let page = try String(contentsOfFile: folder("r.html"), encoding: .utf8)
        #expect(page.contains("How often units fire") && page.contains("Saliency against firing"))
        // The saved document renders too.
        try Data(result.output.utf8).write(to: URL(filePath: folder("s.json")))
        let rendered = tool("report", folder("s.json"), "-o", folder("again.html"))
        #expect(rendered.code == 0, "\(rendered.error)")
        #expect(try String(contentsOfFile: folder("again.html"), encoding: .utf8).contains("nearly dead"))
    }

    /// Without labels firing is told, and not compared with saliency.
    @Test func firingNeedsNoLabels() throws {
        let folder = try TrainedModel.folder()
        let result = score(
            folder, "--criterion", "firing", "--data", "npz:\(Fixture.path("images.npz"))", "--labels",
            "none",
            "--scale", "0.0625", "--split", "all")
        #expect(result.code == 0, "\(result.error)")
        #expect(try result.entries("firing")["fc1.weight"]?["saliency"] == nil)
        #expect((try result.document()["notes"] as? [String])?.first?.contains("no labels") == true)
        let blind = score(
            folder, "--criterion", "saliency", "--data", "npz:\(Fixture.path("images.npz"))", "--labels",
            "none",
            "--scale", "0.0625", "--split", "all")
        #expect(blind.code == 1)
        #expect(blind.error.contains("need labels"))
    }

    /// HRank looks at 256 samples. Of data that are sorted they must not be the first ones: here, those without a picture.
    @Test func sortedDataAreDrawnFrom() throws {
        let folder = try TrainedModel.folder()
        func rank(blank: Int) throws -> Double {
            let pixels = (0..<300 * 64).map { $0 / 64 < blank ? 0 : Float($0 * 37 % 101) / 101 }
            let path = folder("\(blank).npz")
            try NpzArchive.write([("x", Tensor(shape: [300, 1, 8, 8], scalars: pixels))], to: path)
            let result = score(
                folder, "--criterion", "hrank", "--data", "npz:\(path)", "--labels", "none", "--split", "all")
            #expect(result.code == 0, "\(result.error)")
            return try #require(result.entries("layers")["conv1.weight"]?["mean"] as? Double)
        }
        let (mixed, blank) = (try rank(blank: 256), try rank(blank: 300))
        #expect(mixed > blank)
    }

    @Test func aggregationAndNormalization() throws {
        let folder = try TrainedModel.folder()
        let channel = ["--granularity", "channel"]
        func mean(_ options: String...) throws -> Double {
            let result = tool(["score", folder("dense.onnx"), "--json", "--quiet"] + channel + options)
            #expect(result.code == 0, "\(result.error)")
            return try #require(result.entries("layers")["conv2.weight"]?["mean"] as? Double)
        }
        // L2 of sizes is what magnitude does by itself.
        #expect(abs(try mean() - (try mean("--aggregation", "l2"))) < 1e-6)
        #expect(abs(try mean("--criterion", "magnitude-l1") - (try mean("--aggregation", "sum"))) < 1e-4)
        #expect(abs(try mean("--normalization", "mean") - 1) < 1e-9)
        #expect(abs(try mean("--normalization", "rank") - 0.5) < 1e-9)
        #expect(try mean("--aggregation", "max") < mean("--aggregation", "l2"))
    }

    @Test func everyCriterionIsExplained() throws {
        let result = tool("score", "--list")
        #expect(result.code == 0)
        let document = tool("score", "--list", "--json")
        let entries = try document.entries("criteria", by: "id")
        for type in Criteria.all {
            let information = type.information
            #expect(
                result.output.contains(information.measures) && result.output.contains(information.misleads))
            #expect(
                entries[information.id]?["needsData"] as? Bool == !type.init(seed: 0).requiredEvidence.isEmpty
            )
        }
    }

    @Test(arguments: [
        ["--criterion", "firing"], ["--criterion", "wanda"], ["--criterion", "fpgm", "--aggregation", "sum"],
    ])
    func whatCannotBeScoredIsSaid(options: [String]) throws {
        let folder = try TrainedModel.folder()
        let result = tool(["score", folder("dense.onnx")] + options)
        #expect(result.code == 1)
        #expect(result.output.isEmpty)
        #expect(result.error.contains("'\(options[1])'"), "\(result.error)")
        #expect(result.error.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        [], ["m.onnx", "--criterion", "taste"], ["m.onnx", "--criterion", "lamp,lamp"],
        ["m.onnx", "--criterion", ","],
        ["m.onnx", "--aggregation", "product"], ["m.onnx", "--evidence-samples", "0"],
    ])
    func wrongUsageIs64(options: [String]) {
        #expect(tool(["score"] + options).code == 64)
    }

    // MARK: Dead units

    /// The model trained for the tests has units that never fire; without them it says the same.
    @Test func deadUnitsGo() throws {
        let folder = try TrainedModel.folder()
        let firing = score(
            folder, "--criterion", "firing", "--data", "digits", "--evidence-samples", "100000")
        let dead = try firing.entries("firing").values.reduce(0) { $0 + ($1["dead"] as? Int ?? 0) }
        let result = tool(
            "prune", folder("dense.onnx"), "--dead-units", "--data", "digits", "-o", folder("alive.onnx"),
            "--json",
            "--quiet")
        #expect(result.code == 0, "\(result.error)")
        let settings = try #require(try result.document()["request"] as? [[String: Any]])
        #expect(settings.first?["value"] as? String == "\(dead) removed")
        #expect(try result.number("verification", "surgeryMaxAbsoluteDifference") < 1e-4)
        let inspection = tool("inspect", folder("alive.onnx"), "--json")
        #expect(try inspection.number("parameters") == result.number("after", "parameters"))
        if dead > 0 {
            #expect(try result.number("after", "parameters") < result.number("before", "parameters"))
        }
    }

    @Test(arguments: [
        ["--dead-units"], ["--dead-units", "--data", "digits", "--sparsity", "0.5"],
        ["--dead-units", "--data", "digits", "--schedule", "cubic"],
    ])
    func deadUnitsAreATargetOfTheirOwn(options: [String]) {
        #expect(tool(["prune", "m.onnx", "-o", "n.onnx"] + options).code == 64)
    }
}
