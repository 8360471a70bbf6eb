import Foundation
import Testing

/// `prune --sparse-storage`, and the sizes that the receipt tells of.
struct SparseStorageTests {
    private func prune(
        _ folder: TemporaryFolder, _ input: String, _ output: String, _ options: [String]
    ) -> ToolResult {
        tool(["prune", folder(input), "-o", folder(output), "--quiet"] + options)
    }

    private func size(_ path: String) throws -> Double { Double(try bytes(path).count) }

    @Test func theFileIsSmallerAndTheModelTheSame() throws {
        let folder = try TrainedModel.folder()
        let target = ["--sparsity", "0.9", "--json"]
        let plain = prune(folder, "dense.onnx", "plain.onnx", target)
        let sparse = prune(folder, "dense.onnx", "sparse.onnx", target + ["--sparse-storage"])
        try #require(plain.code == 0 && sparse.code == 0, "\(plain.error)\(sparse.error)")
        let (whole, small) = (try size(folder("plain.onnx")), try size(folder("sparse.onnx")))
        // A tenth of the values, with one to three bytes to say where each is.
        #expect(small < 0.2 * whole && small > 0.12 * whole, "\(small) of \(whole)")
        #expect(try sparse.number("before", "fileBytes") == size(folder("dense.onnx")))
        #expect(try sparse.number("after", "fileBytes") == small)
        #expect(try plain.number("after", "fileBytes") == whole)
        #expect(try sparse.number("verification", "maxAbsoluteDifference") == 0)
        #expect(try nonzero(folder("sparse.onnx")) == nonzero(folder("plain.onnx")))
        let verification = tool("verify", folder("plain.onnx"), folder("sparse.onnx"), "--json")
        #expect(try verification.number("maxAbsoluteDifference") == 0)

        // It is a model like any other, to be pruned further.
        let further = ["--sparsity", "0.95", "--json"]
        #expect(prune(folder, "plain.onnx", "one.onnx", further).code == 0)
        #expect(prune(folder, "sparse.onnx", "other.onnx", further).code == 0)
        #expect(try nonzero(folder("one.onnx")) == nonzero(folder("other.onnx")))
        #expect(try size(folder("one.onnx")) == size(folder("other.onnx")))
    }

    @Test func theTableTellsTheSizes() throws {
        let folder = try TrainedModel.folder()
        let result = prune(folder, "dense.onnx", "m.onnx", ["--sparsity", "0.9", "--sparse-storage"])
        let line = result.output.split(separator: "\n").first { $0.hasPrefix("file ") }
        #expect(line?.contains("kB → ") == true && line?.contains(" % of it") == true, "\(result.output)")
        // A file from before is none that was written now.
        let dry = prune(folder, "dense.onnx", "m.onnx", ["--sparsity", "0.5", "--dry-run"])
        #expect(dry.code == 0 && !dry.output.contains("% of it"), "\(dry.output)")
        let document = try prune(
            folder, "dense.onnx", "m.onnx", ["--sparsity", "0.5", "--dry-run", "--json"]
        ).document()
        #expect((document["after"] as? [String: Any])?["fileBytes"] == nil)
    }

    @Test func deadUnitsAreRemovedIntoSuchFilesToo() throws {
        let folder = try TrainedModel.folder()
        #expect(prune(folder, "dense.onnx", "zeros.onnx", ["--sparsity", "0.9"]).code == 0)
        let aim = ["--dead-units", "--data", "digits"]
        let plain = prune(folder, "zeros.onnx", "plain.onnx", aim)
        let sparse = prune(folder, "zeros.onnx", "sparse.onnx", aim + ["--sparse-storage"])
        try #require(plain.code == 0 && sparse.code == 0, "\(plain.error)\(sparse.error)")
        #expect(try size(folder("sparse.onnx")) < 0.3 * size(folder("plain.onnx")))
        #expect(try nonzero(folder("sparse.onnx")) == nonzero(folder("plain.onnx")))
        #expect(sparse.output.contains("% of it"), "\(sparse.output)")
    }
}
