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
        for key in ["modelMs", "predictedMs", "beforeMs", "achievedMs"] {
            #expect(try #require(latency[key]) > 0 && #require(latency[key]) < 3_600_000)
        }
    }

    /// Half of the time that the dry run tells. Both measure the network: beside other tests a machine changes its pace, so that half
    /// of the one is more than the other or less than anything can be. Then both are asked again.
    @Test(arguments: ["channel", "element"])
    func halfOfTheTimeIsPlannedFor(granularity: String) throws {
        let folder = try TrainedModel.folder()
        func prune(_ milliseconds: Double, _ more: String...) -> ToolResult {
            tool(
                [
                    "prune", folder("dense.onnx"), "--granularity", granularity, "--target-latency",
                    "\(milliseconds)", "--quiet",
                ] + more)
        }
        func half() throws -> Double {
            let dry = prune(3_600_000, "--dry-run", "--json")
            #expect(dry.code == 0, "\(dry.error)")
            return try #require(try latency(dry)["beforeMs"]) / 2
        }
        func isReached(_ result: ToolResult) throws -> Bool {
            try result.code == 0 && result.number("overallSparsity") > 0.1
        }
        var target = try half()
        var result = prune(target, "-o", folder("m.onnx"), "--json")
        for _ in 1..<5 where try !isReached(result) {
            target = try half()
            result = prune(target, "-o", folder("m.onnx"), "--json")
        }
        #expect(try isReached(result), "\(result.output) \(result.error)")
        #expect(try #require(try latency(result)["achievedMs"]) > 0)
    }

    /// At whatever pace the machine runs meanwhile.
    @Test(arguments: ["channel", "element"]) func sharesOfTheTimeArePlannedFor(granularity: String) throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "prune", folder("dense.onnx"), "--granularity", granularity, "--target-latency", "60%", "-o",
            folder("m.onnx"), "--json", "--quiet")
        try #require(result.code == 0, "\(result.error)")
        #expect(try result.number("overallSparsity") > 0.1)
        let latency = try latency(result)
        let before = try #require(latency["beforeMs"])
        #expect(abs(try #require(latency["targetMs"]) - 0.6 * before) < 1e-4 * before)
        let notes = try result.document()["notes"] as? [String] ?? []
        let isMissed = notes.contains {
            $0.contains("the latency is missed") && $0.contains("60.0 % were asked")
        }
        #expect(try isMissed != (#require(latency["predictedMs"]) <= 0.6121 * before), "\(latency) \(notes)")
    }

    @Test func outOfReachIsToldInMilliseconds() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "prune", folder("dense.onnx"), "--granularity", "channel", "--target-latency", "1e-6",
            "--dry-run", "--quiet")
        #expect(result.code == 1)
        #expect(result.error.contains("--target-latency 1e-06 is out of reach"), "\(result.error)")
        #expect(result.error.contains(" ms (") && result.error.contains("--minimum-kept"))
    }

    @Test func aPlanTellsWhatItShouldTake() throws {
        let folder = try TrainedModel.folder()
        let text = tool(
            "prune", folder("dense.onnx"), "--granularity", "channel", "--target-latency", "3600000",
            "--dry-run", "--quiet")
        #expect(text.code == 0, "\(text.error)")
        #expect(text.output.contains("max-latency") && text.output.contains("predicted"))
    }

    @Test(arguments: [
        ["--target-latency", "0"], ["--target-latency", "-1"], ["--target-latency", "inf"],
        ["--target-latency", "0%"], ["--target-latency", "101%"], ["--target-latency", "%"],
        ["--target-latency", "half"],
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
