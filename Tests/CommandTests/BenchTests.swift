import EspalierEfficiency
import Foundation
import Testing

struct BenchTests {
    private static func models(_ result: ToolResult) throws -> [[String: Any]] {
        try #require(try result.document()["models"] as? [[String: Any]])
    }

    private static func number(_ model: [String: Any], _ key: String) throws -> Double {
        try #require(model[key] as? Double, "\(key)")
    }

    @Test func denseModelsHaveNothingToGain() throws {
        let result = tool("bench", Fixture.path("classifier.onnx"), "--seconds", "0.01", "--json", "--quiet")
        #expect(result.code == 0, "\(result.error)")
        let model = try #require(try Self.models(result).first)
        #expect(model["path"] as? String == Fixture.path("classifier.onnx"))
        #expect(model["threads"] as? Int == 1 && model["batch"] as? Int == 1)
        #expect(try Self.number(model, "theoreticalSpeedup") == 1)
        #expect(model["macs"] as? Int == 36 * 64 + 216 * 9 + 540)
        #expect(model["remainingMacs"] as? Int == 36 * 64 + 216 * 9 + 540)
        for key in ["medianMs", "p10Ms", "p90Ms", "denseMs", "actualSpeedup"] {
            #expect(try Self.number(model, key) > 0)
        }
        let (actual, efficiency) = (
            try Self.number(model, "actualSpeedup"), try Self.number(model, "realizedEfficiency")
        )
        #expect(abs(efficiency - actual) < 1e-12)
        #expect(model["peer"] == nil && model["ownDenseMs"] == nil)
    }

    /// The second model lacks 270 of the weights that the first has.
    @Test func theFirstModelIsTheReference() throws {
        let result = tool(
            "bench", Fixture.path("classifier.onnx"), Fixture.path("changed.onnx"), "--batch", "3",
            "--seconds",
            "0.01", "--json", "--quiet")
        #expect(result.code == 0, "\(result.error)")
        let models = try Self.models(result)
        #expect(models.count == 2)
        let macs = Double(36 * 64 + 216 * 9 + 540)
        #expect(models[1]["denseMacs"] as? Double == 3 * macs)
        #expect(models[1]["remainingMacs"] as? Double == 3 * (macs - 270))
        // Numbers go through decimal text.
        #expect(abs(try Self.number(models[1], "theoreticalSpeedup") - macs / (macs - 270)) < 1e-12)
        let (actual, theoretical) = (
            try Self.number(models[1], "actualSpeedup"), try Self.number(models[1], "theoreticalSpeedup")
        )
        #expect(abs(try Self.number(models[1], "realizedEfficiency") - actual / theoretical) < 1e-12)
        #expect(try Self.number(models[1], "ownDenseMs") > 0)
    }

    /// The last layer of the second model has half of its weights, the others all of theirs.
    @Test func layersAddUpToTheNetwork() throws {
        let result = tool(
            "bench", Fixture.path("classifier.onnx"), Fixture.path("changed.onnx"), "--seconds", "0.01",
            "--json",
            "--quiet")
        #expect(result.code == 0, "\(result.error)")
        for (place, model) in try Self.models(result).enumerated() {
            let layers = try #require(model["layers"] as? [[String: Any]])
            for key in ["macs", "remainingMacs"] {
                #expect(layers.compactMap { $0[key] as? Int }.reduce(0, +) == model[key] as? Int)
            }
            let weighted = layers.filter { ($0["macs"] as? Int ?? 0) > 0 }
            #expect(weighted.count == 3)
            for (layer, theoretical) in zip(weighted, [1, 1, place == 0 ? 1 : 2.0]) {
                #expect(try Self.number(layer, "theoreticalSpeedup") == theoretical)
                let actual = try Self.number(layer, "actualSpeedup")
                #expect(abs(try Self.number(layer, "realizedEfficiency") - actual / theoretical) < 1e-9)
                let (predicted, measured) = (
                    try Self.number(layer, "predictedUs"), try Self.number(layer, "medianUs")
                )
                #expect(predicted > 0)
                #expect(abs(try Self.number(layer, "predictionError") - (predicted / measured - 1)) < 1e-9)
                #expect(layer["format"] as? String == nil || theoretical == 2)
                for key in ["usefulGflops", "computeShare", "bandwidthShare"] {
                    #expect(try Self.number(layer, key) > 0)
                }
            }
            #expect(layers.contains { $0["macs"] as? Int == 0 }, "poolings are steps as well")
        }
        let ceilings = try #require(try result.document()["ceilings"] as? [String: Any])
        #expect(try Self.number(ceilings, "gflops") > 0)
        #expect((ceilings["levels"] as? [Any])?.count == 4)
    }

    @Test func tableShowsStepsWhenAsked() {
        let arguments = ["bench", Fixture.path("classifier.onnx"), "--seconds", "0.01", "--quiet"]
        let short = tool(arguments)
        #expect(short.code == 0 && !short.output.contains("conv1"), "\(short.error)")
        let long = tool(arguments + ["--layers"])
        #expect(long.code == 0, "\(long.error)")
        for words in ["conv1", "all steps", "ceilings", "predicted us"] {
            #expect(long.output.contains(words), "\(words)")
        }
    }

    @Test func recordsAreKeptAndRendered() throws {
        let folder = try TemporaryFolder()
        let result = tool(
            "bench", Fixture.path("changed.onnx"), "--seconds", "0.01", "--json", "--quiet", "--store",
            folder("runs.sqlite"))
        #expect(result.code == 0, "\(result.error)")
        try Data(result.output.utf8).write(to: URL(filePath: folder("bench.json")))
        let report = tool("report", folder("bench.json"), "-o", folder("r.html"))
        #expect(report.code == 0, "\(report.error)")
        let page = try String(contentsOfFile: folder("r.html"), encoding: .utf8)
        #expect(page.contains("<h3>Latency</h3>") && page.contains("changed.onnx"))
        #expect(tool("runs", "list", "--store", folder("runs.sqlite")).output.contains("bench"))
    }

    @Test func inputsComeFromData() throws {
        let result = tool(
            "bench", Fixture.path("classifier.onnx"), "--data", "digits", "--batch", "5", "--seconds", "0.01")
        #expect(result.code == 0, "\(result.error)")
        #expect(result.output.contains("5 samples, 1 thread"))
    }

    @Test(arguments: [
        [], ["m.onnx", "--batch", "0"], ["m.onnx", "--seconds", "0"], ["m.onnx", "--seconds", "nan"],
        ["m.onnx", "--library", "libonnxruntime.so"], ["m.onnx", "--against", "nothing"],
        ["m.onnx", "--threads", "0"],
    ])
    func wrongUsageIs64(options: [String]) {
        #expect(tool(["bench"] + options).code == 64)
    }

    @Test func whatCannotBeMeasuredIsSaid() {
        let result = tool("bench", Fixture.path("opaque.onnx"), "--seconds", "0.01")
        #expect(result.code == 1)
        #expect(result.error.contains("fancy"))
        let fixed = tool("bench", Fixture.path("one-sample.onnx"), "--batch", "2", "--seconds", "0.01")
        #expect(fixed.code == 0 || fixed.error.contains("1 samples at a time"))
    }

    /// What is measured against must compute the same.
    @Test(
        .enabled(if: !OnnxRuntimeLibrary.installedPaths().isEmpty, "needs ONNX Runtime"),
        arguments: ["classifier.onnx", "softmax.onnx", "changed.onnx"])
    func peersAgree(model: String) throws {
        let result = tool(
            "bench", Fixture.path(model), "--against", "onnxruntime", "--batch", "4", "--seconds", "0.01",
            "--json", "--quiet")
        #expect(result.code == 0, "\(result.error)")
        let peer = try #require(try Self.models(result).first?["peer"] as? [String: Any])
        #expect(peer["name"] as? String == "ONNX Runtime" && peer["problem"] == nil)
        let range = try Self.number(peer, "outputRange")
        #expect(range > 0)
        #expect(try Self.number(peer, "maxAbsoluteDifference") <= 1e-4 * range)
        for key in ["milliseconds", "speedup", "denseSpeedup"] {
            let spread = try #require(peer[key] as? [String: Double])
            #expect(try #require(spread["median"]) > 0)
        }
    }

    /// Neither a library that is not there nor one that is another ends the program.
    @Test(arguments: [
        ("/nowhere/libonnxruntime.so", "/nowhere/libonnxruntime.so"),
        (Fixture.path("images.npz"), "images.npz"),
    ])
    func missingLibrariesAreSaid(library: String, words: String) {
        let result = tool(
            "bench", Fixture.path("classifier.onnx"), "--against", "onnxruntime", "--library", library,
            "--seconds",
            "0.01")
        #expect(result.code == 1)
        #expect(result.error.contains(words), "\(result.error)")
        #expect(result.error.split(separator: "\n").count == 1)
    }

    /// A bare name is that of the file in the current folder, if there is one.
    @Test func librariesHereAreFound() throws {
        let folder = try TemporaryFolder()
        try Data("no library".utf8).write(to: URL(filePath: folder("peer.so")))
        let arguments = [
            "bench", Fixture.path("classifier.onnx"), "--against", "onnxruntime", "--library", "peer.so",
        ]
        let result = try Program.run(
            URL(filePath: "/bin/sh"),
            ["-c", #"cd "$0" && exec "$@""#, folder.path, Program.url.path] + arguments)
        #expect(result.code == 1)
        #expect(result.error.contains("\(folder.name)/peer.so"), "\(result.error)")
    }
}
