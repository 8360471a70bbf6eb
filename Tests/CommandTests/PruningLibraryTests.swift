import Espalier
import Foundation
import Testing

/// `Pruning`, the library's way to do what `espalier prune` does.
struct PruningLibraryTests {
    private func dense() throws -> (folder: TemporaryFolder, graph: Graph) {
        let folder = try TrainedModel.folder()
        return (folder, try ONNXModel.load(from: folder("dense.onnx")))
    }

    private func example(_ path: String, slim: String) throws -> Double {
        // docs/library.md: begin
        let dense = try ONNXModel.load(from: path)
        var pruning = Pruning(.channel, to: [.multiplyAccumulates(0.5)])
        pruning.repair?.epochs = 1
        let pruned = try pruning.run(dense, on: try Pruning.Samples(.digits, for: dense))
        try pruned.write(to: slim, protecting: path)
        let lost = (pruned.before.accuracy ?? 0) - (pruned.after.accuracy ?? 0)
        // docs/library.md: end
        return lost
    }

    @Test func exampleRunsAndIsTheOneOnThePage() throws {
        let (folder, _) = try dense()
        #expect(try example(folder("dense.onnx"), slim: folder("slim.onnx")) < 0.3)
        #expect(try ONNXModel.load(from: folder("slim.onnx")).metadata[Preprocessing.metadataKey] != nil)
        let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../docs/library.md")
        let text = try String(contentsOf: page.standardized, encoding: .utf8)
        let part = source.components(separatedBy: "        // docs/library.md: begin\n").last?
            .components(separatedBy: "        // docs/library.md: end\n").first
        let lines = try #require(part).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        try #require(lines.count > 4)
        for line in lines { #expect(text.contains(line), "the page does not show: \(line)") }
    }

    /// The same choices give the same file, byte for byte.
    @Test(arguments: [
        (
            Pruning(.element, to: [.sparsity(0.8)]),
            ["--sparsity", "0.8"]
        ),
        (
            Pruning(.channel, to: [.multiplyAccumulates(0.5)]),
            ["--granularity", "channel", "--max-macs", "0.5"]
        ),
        (Pruning(.inputGroups(kept: 2, of: 4), to: []), ["--granularity", "2:4"]),
    ])
    func programsAndCommandsAgree(pruning: Pruning, options: [String]) throws {
        let (folder, graph) = try dense()
        var pruning = pruning
        pruning.repair?.epochs = 1
        pruning.criterion = "taylor"
        pruning.evidenceSamples = 100
        pruning.seed = 3
        let pruned = try pruning.run(graph, on: try Pruning.Samples(.digits, for: graph))
        let comparison = try pruned.write(to: folder("library.onnx"), protecting: folder("dense.onnx"))
        #expect(comparison.relativeDifference < 1e-5)
        let result = tool(
            [
                "prune", folder("dense.onnx"), "--data", "digits", "--finetune-epochs", "1", "--criterion",
                "taylor", "--evidence-samples", "100", "--seed", "3", "--json", "-o", folder("tool.onnx"),
            ] + options)
        try #require(result.code == 0, "\(result.error)")
        #expect(try bytes(folder("library.onnx")) == bytes(folder("tool.onnx")))
        // Documents round to six digits or so.
        for (own, told) in [
            (pruned.after.accuracy, try result.number("after", "accuracy")),
            (pruned.before.accuracy, try result.number("before", "accuracy")),
            (pruned.sparsity, try result.number("overallSparsity")),
        ] {
            #expect(abs(try #require(own) - told) < 1e-5)
        }
        #expect(pruned.layers.count == 4 && pruned.epochs.count == 1)
        #expect((pruned.surgeryDifference != nil) == (pruning.granularity == .channel))
    }

    @Test func withoutSamplesOnlyTheCutIsMade() throws {
        let (folder, graph) = try dense()
        let pruned = try Pruning(.element, to: [.sparsity(0.5)]).run(graph)
        #expect(pruned.epochs.isEmpty && pruned.after.accuracy == nil)
        #expect(abs(pruned.sparsity - 0.5) < 0.01)
        try pruned.write(to: folder("pruned.onnx"))
        let nonzero = try nonzero(folder("pruned.onnx")).values.reduce(0, +)
        #expect(nonzero == pruned.after.nonzero)
    }

    @Test func progressIsToldAndCanEndIt() throws {
        struct Stop: Error {}
        let (_, graph) = try dense()
        var pruning = Pruning(.element, to: [.sparsity(0.5)])
        pruning.repair?.epochs = 2
        let samples = try Pruning.Samples(.digits, for: graph)
        var (stages, steps, epochs) = (0, 0, 0)
        _ = try pruning.run(graph, on: samples) { event in
            switch event {
            case .stage: stages += 1
            case .step(let done, let total):
                steps += 1
                #expect(done == steps && done <= total)
            case .epoch: epochs += 1
            }
        }
        #expect(stages > 0 && steps > epochs && epochs == 2)
        #expect(throws: Stop.self) { try pruning.run(graph, on: samples) { _ in throw Stop() } }
        #expect(code { try pruning.run(graph, on: samples, isCancelled: { true }) } == .cancelled)
    }

    private func code(_ body: () throws -> PrunedNetwork) -> PruningFailure.Code? {
        do { _ = try body() } catch { return (error as? PruningFailure)?.code }
        return nil
    }

    @Test func whatCannotBeIsNamed() throws {
        let (folder, graph) = try dense()
        func failure(_ change: (inout Pruning) -> Void) -> PruningFailure.Code? {
            var pruning = Pruning(.element, to: [.sparsity(0.5)])
            change(&pruning)
            return code { try pruning.run(graph) }
        }
        #expect(failure { $0.targets = [] } == .invalidRequest)
        #expect(failure { $0.targets = [.sparsity(1)] } == .invalidRequest)
        #expect(failure { $0.criterion = "magic" } == .invalidRequest)
        #expect(failure { $0.scope = "magic" } == .invalidRequest)
        #expect(failure { $0.keep = ["nothing*"] } == .invalidRequest)
        #expect(failure { $0.granularity = .blocks(outputs: 0, inputs: 4) } == .invalidRequest)
        #expect(failure { $0.granularity = .inputGroups(kept: 4, of: 2) } == .invalidRequest)
        #expect(failure { $0.evidenceSamples = 0 } == .invalidRequest)
        #expect(failure { $0.repair?.learningRate = .nan } == .invalidRequest)
        #expect(failure { $0.repair?.distillationWeight = 2 } == .invalidRequest)
        #expect(failure { $0.criterion = "taylor" } == .evidence)
        #expect(
            failure { ($0.granularity, $0.targets) = (.channel, [.multiplyAccumulates(0.001)]) }
                == .outOfReach)
        let pruned = try Pruning(.element, to: [.sparsity(0.5)]).run(graph)
        #expect(throws: PruningFailure.self) {
            try pruned.write(to: folder("dense.onnx"), protecting: folder("dense.onnx"))
        }
        #expect(Pruning.criteria.contains("taylor") && Pruning.scopes.contains("global"))
    }
}
