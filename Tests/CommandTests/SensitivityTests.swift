import Espalier
import EspalierKernels
import EspalierPruning
import Foundation
import Testing

struct SensitivityTests {
    private func points(_ layer: [String: Any]) throws -> [[String: Double]] {
        try #require(layer["points"] as? [[String: Double]])
    }

    @Test func curvesStartAtTheNetworkAsItIs() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "sensitivity", folder("dense.onnx"), "--data", "digits", "--sparsities", "0.99,0.5", "--json",
            "--quiet")
        #expect(result.code == 0, "\(result.error)")
        let layers = try result.entries("layers")
        #expect(Set(layers.keys) == ["conv1", "conv2", "fc1", "fc2"])
        let accuracy = try result.number("accuracy")
        for layer in layers.values {
            let points = try points(layer)
            #expect(points.map { $0["sparsity"] } == [0, 0.5, 0.99])
            #expect(points[0]["accuracy"] == accuracy && points[0]["removed"] == 0)
            let size = try #require(layer["size"] as? Double)
            for point in points {
                let (asked, removed) = (try #require(point["sparsity"]), try #require(point["removed"]))
                #expect(abs(asked - removed) <= 0.5 / size + 1e-12)
            }
        }
        // One class of ten is guessed right by a network with hardly any weights left.
        let worst = try points(try #require(layers["conv2"]))[2]
        #expect(try #require(worst["accuracy"]) < accuracy)
        let figures = try #require(try result.document()["sensitivity"] as? [String: Any])
        #expect(figures["evaluations"] as? Int == 1 + 4 * 2 && figures["split"] as? String == "validation")
    }

    /// The tool has no batch norm to recalibrate here, and a network with it starts where its own statistics lead.
    @Test func groupsOfResidualNetworksAreMeasuredWhole() throws {
        let folder = try TemporaryFolder()
        let trained = tool(
            "train", "--arch", "resnet-8", "--data", "digits", "--epochs", "1", "--quiet", "-o",
            folder("dense.onnx"))
        try #require(trained.code == 0, "\(trained.error)")
        let result = tool(
            "sensitivity", folder("dense.onnx"), "--data", "digits", "--granularity", "channel",
            "--sparsities", "0.5,0.9", "--samples", "100", "--max-macs", "0.4", "--allocation-output",
            folder("shares.json"), "--report", folder("r.html"), "--json", "--quiet")
        #expect(result.code == 0, "\(result.error)")
        let layers = try result.entries("layers")
        #expect(layers.count == 6)
        #expect(layers.values.contains { ($0["members"] as? [String])?.count == 2 })
        #expect(try result.number("samples") == 100)
        let refusals = try result.entries("refusals")
        #expect(refusals["fc.weight"]?["reason"] as? String != nil)

        let written = try #require(
            try JSONSerialization.jsonObject(with: bytes(folder("shares.json"))) as? [String: Any])
        #expect(written["schemaVersion"] as? Int == 1 && written["granularity"] as? String == "channel")
        let shares = try #require(written["layers"] as? [[String: Any]])
        #expect(Set(shares.compactMap { $0["name"] as? String }) == Set(layers.keys))
        #expect(shares.contains { ($0["sparsity"] as? Double ?? 0) > 0 })
        let pruned = tool(
            "prune", folder("dense.onnx"), "--data", "digits", "--allocation", folder("shares.json"),
            "--finetune-epochs", "0", "-o", folder("slim.onnx"), "--json", "--quiet")
        #expect(pruned.code == 0, "\(pruned.error)")
        let macs = try (pruned.number("before", "macs"), pruned.number("after", "macs"))
        #expect(macs.1 <= 0.4 * macs.0 && macs.1 > 0.3 * macs.0)

        let page = try String(contentsOfFile: folder("r.html"), encoding: .utf8)
        #expect(page.contains("Accuracy against sparsity") && page.contains("<th>Suggested</th>"))
        for name in layers.keys { #expect(page.contains(name)) }
        #expect(!page.contains("<h3>Receipt"))
    }

    /// A little training mends a good part of what pruning does to one layer, and what is pruned stays so.
    @Test func repairMends() throws {
        let folder = try TrainedModel.folder()
        func losses(_ more: String...) throws -> [Double] {
            let result = tool(
                ["sensitivity", folder("dense.onnx"), "--data", "digits", "--sparsities", "0.95", "--json"]
                    + ["--quiet"] + more)
            #expect(result.code == 0, "\(result.error)")
            let layers = try result.entries("layers")
            return try ["conv1", "conv2"].map { name in
                let points = try points(layers[name] ?? [:])
                return try #require(points[1]["loss"])
            }
        }
        let (bare, repaired) = (try losses(), try losses("--repair-samples", "800"))
        for (before, after) in zip(bare, repaired) { #expect(after < 0.8 * before) }
    }

    @Test func peopleGetATable() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "sensitivity", folder("dense.onnx"), "--data", "digits", "--sparsities", "0.25", "--sparsity",
            "0.2", "--samples", "50", "--keep", "fc1", "--quiet")
        #expect(result.code == 0, "\(result.error)")
        #expect(result.output.contains("25 %") && result.output.contains("suggested"))
        #expect(result.output.contains("left out       fc1: kept by the pattern 'fc1'"))
    }

    @Test func whatWasNotMeasuredIsNotSuggested() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "sensitivity", folder("dense.onnx"), "--data", "digits", "--sparsities", "0.1", "--sparsity",
            "0.5", "--samples", "20", "--quiet")
        #expect(result.code == 1)
        #expect(result.error.contains("out of reach"))
    }

    /// Units that never fire are the first that go, and nothing changes.
    @Test func deadUnitsDoNoHarm() throws {
        let folder = try TrainedModel.folder()
        let (model, names) = (try ONNXModel.load(from: folder("dense.onnx")), ["conv2.weight", "conv2.bias"])
        var graph = model
        for id in graph.parameters where names.contains(graph.name(of: id)) {
            let tensor = try #require(graph.constants[id])
            var mask = Mask(keepingAll: tensor.shape)
            for unit in 0..<32 { mask.dropSlice(axis: 0, index: unit) }
            var masks = MaskSet()
            masks[id] = mask
            graph = try masks.applied(to: graph)
        }
        let data = try DataSource("digits")
        let pipeline = SensitivityPipeline(
            request: PruningRequest(
                .channel, targets: [], criterion: FirstOrderTaylor(seed: 0), prunesFirstAndLast: true),
            sparsities: [0.5, 0.75], lane: try Lane(threads: 1))
        let outcome = try pipeline.run(
            graph, fit: try data.load(.fit), validation: try data.load(.validation))
        let layer = try #require(outcome.sensitivity.layers.first { $0.name == "conv2.weight" })
        #expect(layer.size == 64)
        #expect(layer.points[1].accuracy == outcome.dense.accuracy)
        #expect(abs(layer.points[1].loss - outcome.dense.mean) < 1e-6)
        #expect(layer.points[2].loss != layer.points[1].loss)
    }

    @Test func itStopsWhenItIsTold() throws {
        struct Stop: Error {}
        let folder = try TrainedModel.folder()
        let data = try DataSource("digits")
        let pipeline = SensitivityPipeline(
            request: PruningRequest(.element, targets: []), sparsities: [0.5], lane: try Lane(threads: 1))
        var told = 0
        #expect(throws: Stop.self) {
            try pipeline.run(
                try ONNXModel.load(from: folder("dense.onnx")), fit: try data.load(.fit),
                validation: try data.load(.validation)
            ) { done, total in
                #expect(total == 5)
                told = done
                if done == 2 { throw Stop() }
            }
        }
        #expect(told == 2)
    }

    @Test(arguments: [
        ["--sparsities", "0.5,1"], ["--sparsities", "0"], ["--sparsities", "x"], ["--samples", "0"],
        ["--evidence-samples", "0"], ["--criterion", "nothing"], ["--sparsity", "1"], ["--max-macs", "0"],
        ["--allocation-output", "shares.json"], ["--minimum-kept", "1"], ["--granularity", "2:4"],
        ["--repair-samples", "-1"],
    ])
    func wrongUsageIs64(options: [String]) {
        #expect(tool(["sensitivity", "m.onnx", "--data", "digits"] + options).code == 64)
    }

    @Test func unlabelledDataAreRefused() throws {
        let folder = try TrainedModel.folder()
        let result = tool("sensitivity", folder("dense.onnx"), "--data", "random", "--quiet")
        #expect(result.code == 1 && result.error.contains("labels"))
    }
}
