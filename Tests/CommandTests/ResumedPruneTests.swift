import Foundation
import Testing

/// `prune --checkpoint --resume`.
struct ResumedPruneTests {
    private static let schedules = ["one-shot", "cubic"]

    private func arguments(_ folder: TemporaryFolder, _ schedule: String, to output: String) -> [String] {
        [
            "prune", folder("dense.onnx"), "--data", "digits", "--finetune-epochs", "2", "--schedule",
            schedule,
            "-o", folder(output),
        ]
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

    /// Killed in the middle of the repair, then gone on with: the same model as without the kill.
    @Test(arguments: schedules)
    func killedRepairEndsAsOthers(schedule: String) throws {
        let folder = try TrainedModel.folder()
        let aim = ["--sparsity", "0.8"]
        let whole = tool(arguments(folder, schedule, to: "whole.onnx") + aim)
        try #require(whole.code == 0, "\(whole.error)")
        try FileManager.default.createDirectory(
            atPath: folder("saved"), withIntermediateDirectories: true)
        let saving = aim + ["--checkpoint", folder("saved/run.npz"), "--resume"]
        let killed = try Program.kill(
            arguments(folder, schedule, to: "killed.onnx") + saving, afterChanges: 2,
            in: URL(filePath: folder("saved")))
        #expect(killed || FileManager.default.fileExists(atPath: folder("killed.onnx")))
        let resumed = tool(arguments(folder, schedule, to: "resumed.onnx") + saving)
        try #require(resumed.code == 0, "\(resumed.error)")
        #expect(try bytes(folder("resumed.onnx")) == bytes(folder("whole.onnx")))
    }

    /// Whether the schedule is done decides on which epoch is kept as the best: also for shares that are not exact in binary.
    @Test(arguments: ["iterative", "cubic"], [3, 6, 9])
    func interruptedSchedulesKeepTheSameEpoch(schedule: String, changes: Int) throws {
        let folder = try TrainedModel.folder()
        let aim = ["--granularity", "channel", "--max-macs", "0.3", "--finetune-epochs", "6"]
        let whole = tool(arguments(folder, schedule, to: "whole.onnx") + aim)
        try #require(whole.code == 0, "\(whole.error)")
        try FileManager.default.createDirectory(
            atPath: folder("saved"), withIntermediateDirectories: true)
        let saving = aim + ["--checkpoint", folder("saved/run.npz")]
        let killed = try Program.kill(
            arguments(folder, schedule, to: "killed.onnx") + saving, afterChanges: changes,
            in: URL(filePath: folder("saved")))
        #expect(killed || FileManager.default.fileExists(atPath: folder("killed.onnx")))
        let resumed = tool(arguments(folder, schedule, to: "resumed.onnx") + saving + ["--resume"])
        try #require(resumed.code == 0, "\(resumed.error)")
        #expect(try bytes(folder("resumed.onnx")) == bytes(folder("whole.onnx")))
    }

    /// A checkpoint holds the weights and masks of one plan: another one must not go on from it.
    @Test(arguments: schedules)
    func anotherPlanIsRefused(schedule: String) throws {
        let folder = try TrainedModel.folder()
        let checkpoint = ["--checkpoint", folder("run.npz")]
        let first = tool(arguments(folder, schedule, to: "a.onnx") + ["--sparsity", "0.8"] + checkpoint)
        try #require(first.code == 0, "\(first.error)")
        let same = tool(
            arguments(folder, schedule, to: "b.onnx") + ["--sparsity", "0.8", "--resume"] + checkpoint)
        #expect(same.code == 0 && same.error.contains("resuming after"), "\(same.error)")
        #expect(try bytes(folder("b.onnx")) == bytes(folder("a.onnx")))
        for other in [["--sparsity", "0.5"], ["--sparsity", "0.8", "--keep", "conv1"]] {
            let result = tool(
                arguments(folder, schedule, to: "c.onnx") + other + ["--resume"] + checkpoint)
            #expect(result.code == 1)
            #expect(result.error.contains("was written with"), "\(result.error)")
            #expect(!FileManager.default.fileExists(atPath: folder("c.onnx")))
        }
    }

    /// A checkpoint where nothing is trained would be ignored.
    @Test(arguments: [
        ["--data", "digits", "--dead-units"], ["--data", "digits", "--sparsity", "0.5", "--dry-run"],
        ["--data", "digits", "--sparsity", "0.5", "--finetune-epochs", "0"], ["--sparsity", "0.5"],
    ])
    func checkpointsNeedARepair(options: [String]) {
        let result = tool(["prune", "m.onnx", "-o", "n.onnx", "--checkpoint", "run.npz"] + options)
        #expect(result.code == 64)
        #expect(result.error.contains("--checkpoint saves the repair"), "\(result.error)")
    }

    @Test(arguments: schedules)
    func anotherAllocationIsRefused(schedule: String) throws {
        let folder = try TrainedModel.folder()
        func prune(_ share: Double, _ more: String...) throws -> ToolResult {
            let text =
                #"{"schemaVersion": 1, "granularity": "element", "layers": [{"name": "fc1", "sparsity": \#(share)}]}"#
            try Data(text.utf8).write(to: URL(filePath: folder("shares.json")))
            return tool(
                arguments(folder, schedule, to: "m.onnx") + ["--allocation", folder("shares.json")]
                    + ["--checkpoint", folder("run.npz")] + more)
        }
        #expect(try prune(0.9).code == 0)
        #expect(try prune(0.9, "--resume").code == 0)
        let other = try prune(0.5, "--resume")
        #expect(other.code == 1 && other.error.contains("was written with"), "\(other.error)")
    }
}
