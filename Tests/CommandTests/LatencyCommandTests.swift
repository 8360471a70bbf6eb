import Foundation
import Testing

/// `--target-latency`: what it says, not how fast this machine is.
struct LatencyCommandTests {
    private func latency(_ result: ToolResult) throws -> [String: Double] {
        try #require(try result.document()["latency"] as? [String: Double])
    }

    /// An hour is enough for the model as it is.
    @Test func aTargetThatIsMetRemovesNothing() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "prune", folder("dense.onnx"), "--target-latency", "3600000", "--granularity", "channel", "-o",
            folder("m.onnx"), "--json", "--quiet")
        #expect(result.code == 0, "\(result.error)")
        #expect(try result.number("after", "parameters") == result.number("before", "parameters"))
        let latency = try latency(result)
        #expect(latency["targetMs"] == 3_600_000)
        for key in ["predictedMs", "beforeMs", "achievedMs"] {
            #expect(try #require(latency[key]) > 0 && #require(latency[key]) < 3_600_000)
        }
    }

    /// Half of the time that the dry run tells.
    @Test(arguments: ["channel", "element"])
    func halfOfTheTimeIsPlannedFor(granularity: String) throws {
        let folder = try TrainedModel.folder()
        func prune(_ milliseconds: Double, _ more: [String]) -> ToolResult {
            tool(
                [
                    "prune", folder("dense.onnx"), "--granularity", granularity, "--target-latency",
                    "\(milliseconds)", "--json", "--quiet",
                ] + more)
        }
        let dry = prune(3_600_000, ["--dry-run"])
        #expect(dry.code == 0, "\(dry.error)")
        let before = try #require(try latency(dry)["beforeMs"])
        let result = prune(before / 2, ["-o", folder("m.onnx")])
        #expect(result.code == 0, "\(result.error)")
        #expect(try result.number("overallSparsity") > 0.1)
        #expect(try #require(try latency(result)["achievedMs"]) > 0)
        let text = tool(
            "prune", folder("dense.onnx"), "--granularity", granularity, "--target-latency", "\(before / 2)",
            "--dry-run", "--quiet")
        #expect(text.output.contains("max-latency") && text.output.contains("predicted"))
    }

    @Test(arguments: [
        ["--target-latency", "0"], ["--target-latency", "-1"], ["--target-latency", "inf"],
        ["--sparsity", "0.5", "--round-channels", "0"], ["--sparsity", "0.5", "--round-channels", "some"],
    ])
    func wrongUsageIs64(options: [String]) {
        #expect(tool(["prune", "m.onnx", "-o", "n.onnx"] + options).code == 64)
    }

    @Test func channelsAreRoundedToRegisters() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "prune", folder("dense.onnx"), "--max-macs", "0.4", "--granularity", "channel",
            "--round-channels",
            "auto", "--dry-run", "--plan", folder("plan.json"), "--json", "--quiet")
        #expect(result.code == 0, "\(result.error)")
        let plan = try #require(
            try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: folder("plan.json")))) as? [String: Any])
        let channels = try #require(plan["channels"] as? [[String: Any]])
        for entry in channels {
            let (size, dropped) = (entry["size"] as? Int ?? 0, (entry["dropped"] as? [Int] ?? []).count)
            #expect(dropped == 0 || (size - dropped).isMultiple(of: 4), "\(entry)")
        }
    }
}
