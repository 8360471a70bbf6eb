import EspalierArchives
import EspalierTensors
import Foundation
import Testing

/// `train --collect`, and the criteria that read what it leaves.
struct JourneyCommandTests {
    @Test func evidenceLiesBesideTheModelAndPrunes() throws {
        let folder = try TrainedModel.folder()
        let trained = tool(
            "finetune", folder("dense.onnx"), "--data", "digits", "--epochs", "1", "--collect",
            "movement,saliency", "-o", folder("moved.onnx"), "--quiet")
        #expect(trained.code == 0, "\(trained.error)")
        let archive = try NpzArchive(contentsOf: folder("moved.evidence.npz"))
        for name in ["movement/conv1.weight", "saliency/conv1.weight"] {
            #expect(try archive.tensor(name).shape.rank == 4)
        }
        #expect(try archive.tensor("saliency/conv1.weight").scalars(as: Float.self).allSatisfy { $0 >= 0 })
        for criterion in ["movement", "saliency-journey"] {
            let pruned = tool(
                "prune", folder("moved.onnx"), "--criterion", criterion, "--sparsity", "0.5", "-o",
                folder("\(criterion).onnx"), "--json")
            #expect(pruned.code == 0, "\(pruned.error)")
            #expect(try pruned.number("achievedSparsity") >= 0.5)
            let scored = tool("score", folder("moved.onnx"), "--criterion", criterion, "--json")
            #expect(scored.code == 0, "\(scored.error)")
        }
    }

    @Test func evidenceOfOtherWeightsIsRefused() throws {
        let folder = try TrainedModel.folder()
        let missing = tool(
            "prune", folder("dense.onnx"), "--criterion", "movement", "--sparsity", "0.5", "-o",
            folder("pruned.onnx"))
        #expect(missing.code == 1)
        #expect(missing.error.contains("dense.evidence.npz") && missing.error.contains("--collect movement"))
        let trained = tool(
            "finetune", folder("dense.onnx"), "--data", "digits", "--epochs", "1", "--collect", "movement",
            "-o", folder("moved.onnx"), "--quiet")
        #expect(trained.code == 0, "\(trained.error)")
        try FileManager.default.copyItem(
            atPath: folder("moved.evidence.npz"), toPath: folder("dense.evidence.npz"))
        let wrong = tool(
            "prune", folder("dense.onnx"), "--criterion", "movement", "--sparsity", "0.5", "-o",
            folder("pruned.onnx"))
        #expect(wrong.code == 1)
        #expect(wrong.error.contains("other weights"))
        let other = tool("score", folder("moved.onnx"), "--criterion", "saliency-journey")
        #expect(other.code == 1)
        #expect(other.error.contains("--collect saliency"))
    }

    @Test func nonsenseIsNotCollected() {
        let result = tool(
            "train", "--arch", "tiny-cnn", "--data", "digits", "--collect", "wishes", "-o", "m.onnx")
        #expect(result.code == 64)
    }

    /// Flow needs no data, and goes in rounds.
    @Test func synapticFlowPrunesWithoutData() throws {
        let folder = try TrainedModel.folder()
        let pruned = tool(
            "prune", folder("dense.onnx"), "--criterion", "synflow", "--sparsity", "0.9", "-o",
            folder("pruned.onnx"), "--json")
        #expect(pruned.code == 0, "\(pruned.error)")
        #expect(try pruned.number("achievedSparsity") >= 0.9)
    }

    /// Moving the weights that stay loses less than leaving them.
    @Test func woodFisherMovesWeights() throws {
        let folder = try TrainedModel.folder()
        let arguments = [
            "prune", folder("dense.onnx"), "--criterion", "wood-fisher", "--sparsity", "0.7", "--seed", "3",
            "--data", "digits", "--evidence-samples", "200", "--finetune-epochs", "0", "--json",
        ]
        let moved = tool(arguments + ["-o", folder("moved.onnx")])
        #expect(moved.code == 0, "\(moved.error)")
        let planned = tool(arguments + ["--dry-run", "--plan", folder("plan.json")])
        #expect(planned.code == 0, "\(planned.error)")
        // Without data nothing moves.
        let masked = tool(
            "prune", folder("dense.onnx"), "--plan", folder("plan.json"), "-o", folder("masked.onnx"))
        #expect(masked.code == 0, "\(masked.error)")
        let losses = try ["moved.onnx", "masked.onnx"].map {
            try tool("eval", folder($0), "--data", "digits", "--json").number("loss")
        }
        #expect(losses[0] < losses[1])
    }
}
