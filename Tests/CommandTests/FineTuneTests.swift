import Foundation
import Testing

struct FineTuneTests {
    private let training = [
        "--data", "digits", "--epochs", "1", "--batch-size", "256", "--json", "--quiet",
    ]

    /// Zeros stay, unless they are not wanted to.
    @Test func prunedWeightsStayPruned() throws {
        let folder = try TrainedModel.folder()
        let pruned = tool(
            "prune", folder("dense.onnx"), "--sparsity", "0.9", "-o", folder("sparse.onnx"), "-q")
        #expect(pruned.code == 0, "\(pruned.error)")
        let kept = tool(["finetune", folder("sparse.onnx"), "-o", folder("kept.onnx")] + training)
        #expect(kept.code == 0, "\(kept.error)")
        // Biases are not pruned: the few that begin as zero may change.
        for (name, count) in try nonzero(folder("sparse.onnx")) {
            #expect(abs(try #require(nonzero(folder("kept.onnx"))[name]) - count) <= 9, "\(name)")
        }
        #expect(try bytes(folder("kept.onnx")) != bytes(folder("sparse.onnx")))
        let evaluation = tool("eval", folder("kept.onnx"), "--data", "digits", "--json")
        #expect(try evaluation.number("accuracy") == kept.number("accuracy"))
        let freed = tool(
            ["finetune", folder("sparse.onnx"), "--no-masks", "-o", folder("freed.onnx")] + training)
        #expect(freed.code == 0)
        let (sparse, free) = (try nonzero(folder("sparse.onnx")), try nonzero(folder("freed.onnx")))
        #expect(try #require(free["fc1"]) > 2 * #require(sparse["fc1"]))
    }

    /// A loss on probabilities would train another network.
    @Test func softmaxAtTheEndIsLeftOut() throws {
        let folder = try TemporaryFolder()
        var losses: [Double] = []
        for model in ["classifier.onnx", "softmax.onnx"] {
            let result = tool([
                "finetune", Fixture.path(model), "--data", "digits", "--epochs", "6", "--batch-size", "32",
                "--learning-rate", "0.01", "-o", folder(model), "--json", "--quiet",
            ])
            #expect(result.code == 0, "\(result.error)")
            #expect(try result.number("accuracy") > 0.7)
            losses.append(try result.number("loss"))
        }
        #expect(abs(losses[0] - losses[1]) < 1e-5)
    }

    @Test(arguments: ["classifier.onnx", "softmax.onnx"])
    func teacherReplacesLabels(teacher: String) throws {
        let folder = try TemporaryFolder()
        let data = ["--data", "npz:\(Fixture.path("images.npz"))", "--labels", "none", "--scale", "0.0625"]
        let start = ["finetune", Fixture.path("changed.onnx"), "-o", folder("m.onnx"), "--quiet"] + data
        let alone = tool(start)
        #expect(alone.code == 1)
        #expect(alone.error.contains("--teacher"))
        let aimless = tool(start + ["--temperature", "3"])
        #expect(aimless.code == 64)
        #expect(aimless.error.contains("--teacher"))
        let taught = tool(
            start + ["--teacher", Fixture.path(teacher), "--epochs", "8", "--batch-size", "8", "--json"])
        #expect(taught.code == 0, "\(taught.error)")
        let document = try taught.document()
        #expect(document["accuracy"] == nil)
        let epochs = try #require(document["epochs"] as? [[String: Any]])
        let losses = epochs.compactMap { $0["validationLoss"] as? Double }
        #expect(losses.count == 8 && losses[7] < losses[0], "\(losses)")
    }

    /// How the data were prepared is written into the model, so that `eval` does it likewise.
    @Test func preparationIsRecorded() throws {
        let folder = try TrainedModel.folder()
        let tuned = tool(
            ["finetune", folder("dense.onnx"), "--mean", "0.5", "--std", "0.1", "-o", folder("m.onnx")]
                + training)
        #expect(tuned.code == 0, "\(tuned.error)")
        let evaluated = tool("eval", folder("m.onnx"), "--data", "digits", "--json", "--quiet")
        #expect(try evaluated.number("accuracy") == tuned.number("accuracy"))
    }

    @Test func inputIsNotOverwritten() throws {
        let folder = try TrainedModel.folder()
        let before = try bytes(folder("dense.onnx"))
        let result = tool(
            ["finetune", folder("dense.onnx"), "-o", folder("../\(folder.name)/dense.onnx")] + training)
        #expect(result.code == 1)
        #expect(result.error.contains("never overwritten"))
        #expect(try bytes(folder("dense.onnx")) == before)
    }
}
