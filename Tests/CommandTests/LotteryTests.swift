import EspalierArchives
import EspalierTensors
import Foundation
import Testing

/// `lottery`: tickets and what they are compared with.
struct LotteryTests {
    private static let quick = [
        "lottery", "--data", "digits", "--epochs", "3", "--rounds", "2", "--prune-rate", "0.5",
        "--evaluate-every", "10", "--json", "--quiet",
    ]

    private func rounds(_ result: ToolResult) throws -> [[String: Any]] {
        try #require(result.code == 0, "\(result.error)")
        return try #require(try result.document()["rounds"] as? [[String: Any]])
    }

    private func mean(_ round: [String: Any], _ method: String) throws -> Double {
        try #require((round[method] as? [String: Any])?["mean"] as? Double, "\(method)")
    }

    @Test func everyMethodIsTriedAndTheTicketsAreFiles() throws {
        let folder = try TemporaryFolder()
        let result = tool(
            Self.quick + [
                "--arch", "lenet-300-100", "--seeds", "2", "--methods", "all", "--threads", "2", "--store",
                folder("runs.sqlite"), "--report", folder("lottery.html"),
            ])
        let rounds = try rounds(result)
        #expect(rounds.count == 3)
        let remaining = rounds.compactMap { $0["remaining"] as? Double }
        // 64 x 300, 300 x 100 and 100 x 10 weights; the output layer loses a quarter each time.
        let sizes = (19_200.0, 30_000.0, 1_000.0)
        for (round, left) in remaining.enumerated() {
            let half = pow(0.5, Double(round))
            let expected =
                (half * sizes.0 + half * sizes.1 + pow(0.75, Double(round)) * sizes.2)
                / (sizes.0 + sizes.1 + sizes.2)
            #expect(abs(left - expected) < 1e-4)
        }
        let methods = [
            "winning", "reinit", "randomMask", "shuffled", "signs", "oneShot", "magnitude", "snip", "grasp",
            "synflow", "edgePopup",
        ]
        for round in rounds.dropFirst() {
            for method in methods { #expect(try mean(round, method) > 0.3, "\(method)") }
        }
        // From the same network, the first round of both is the same.
        #expect(try mean(rounds[1], "oneShot") == mean(rounds[1], "winning"))
        let lottery = try #require(try result.document()["lottery"] as? [String: Any])
        let tickets = try #require(lottery["tickets"] as? [[String: Any]])
        #expect(tickets.count == 6)
        let overlaps = try #require(lottery["overlaps"] as? [[String: Any]])
        #expect(overlaps.count == 6)
        let last = try #require(tickets.last?["path"] as? String)
        let sparsity = try tool("inspect", last, "--json").number("sparsity")
        #expect(abs(1 - sparsity - remaining[2]) < 0.02)
        #expect(try String(contentsOfFile: folder("lottery.html"), encoding: .utf8).contains("reinit"))
    }

    /// A ticket's weights are those that the dense network had after so many steps.
    @Test func ticketsAreRewoundToTheStepAskedFor() throws {
        let folder = try TemporaryFolder()
        func tickets(_ rewind: Int) throws -> [String] {
            let result = tool(
                Self.quick + [
                    "--arch", "lenet-300-100", "--seeds", "1", "--methods", "winning", "--rewind",
                    "\(rewind)",
                    "--store", folder("runs.sqlite"),
                ])
            _ = try rounds(result)
            let lottery = try #require(try result.document()["lottery"] as? [String: Any])
            return try #require(lottery["tickets"] as? [[String: Any]]).compactMap { $0["path"] as? String }
        }
        func weights(_ model: String) throws -> [Float] {
            let output = folder("scores.npz")
            let result = tool(
                "score", model, "--criterion", "magnitude-l1", "-o", output, "--quiet")
            try #require(result.code == 0, "\(result.error)")
            return try NpzArchive(contentsOf: output).tensor("fc1.weight").scalars(as: Float.self)
        }
        let first = try weights(tickets(0)[0])
        for (rewind, isFirst) in [(0, true), (7, false)] {
            let paths = try tickets(rewind)
            let (one, two) = try (weights(paths[1]), weights(paths[2]))
            // What the second round keeps is what the first kept, at the same values.
            for (a, b) in zip(one, two) where b != 0 { #expect(a == b) }
            let kept = zip(first, one).filter { $0.1 != 0 }
            // Pixels at the border are empty in all images: what reads them is never trained.
            let moved = kept.count { $0.0 != $0.1 }
            #expect(isFirst ? moved == 0 : moved > kept.count / 2)
        }
    }

    /// A network at hand is what all seeds begin with.
    @Test func aModelIsTakenAsItIs() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            Self.quick + [
                folder("dense.onnx"), "--seeds", "2", "--methods", "winning,reinit", "--others-at", "0.3",
                "--store", folder("runs.sqlite"), "--global",
            ])
        let rounds = try rounds(result)
        #expect(rounds[1]["reinit"] == nil && rounds[2]["reinit"] != nil)
        #expect(try abs(#require(rounds[2]["remaining"] as? Double) - 0.25) < 0.01)
        #expect(try mean(rounds[0], "winning") > 0.9)
    }

    /// Killed again and again, then run to the end: the same to the last digit.
    @Test(arguments: [UInt64(1), 2])
    func killedExperimentsEndAsOthers(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let folder = try TemporaryFolder()
        func arguments(_ store: String) -> [String] {
            Self.quick + [
                "--arch", "lenet-300-100", "--seeds", "2", "--rewind", "5", "--methods",
                "reinit,signs,edge-popup", "--threads", "2", "--store", folder(store),
            ]
        }
        func figures(_ store: String) throws -> NSArray {
            try rounds(tool(arguments(store))) as NSArray
        }
        let undisturbed = try figures("whole.sqlite")
        let kills = try Program.killAgainAndAgain(
            arguments("killed.sqlite"), files: URL(filePath: folder("killed.sqlite.files")), random: &random)
        #expect(kills > 0)
        #expect(try figures("killed.sqlite") == undisturbed)
    }

    @Test(arguments: [
        [], ["--arch", "lenet-300-100", "--rounds", "0"], ["--arch", "nothing"],
        ["--arch", "lenet-300-100", "--methods", "magic"],
        ["--arch", "lenet-300-100", "--prune-rate", "1"],
        ["--arch", "lenet-300-100", "--criterion", "movement"],
        ["--arch", "lenet-300-100", "--criterion", "fpgm"],
        ["--arch", "lenet-300-100", "--global", "--output-rate", "0.1"],
        ["--arch", "lenet-300-100", "--rewind", "-1"],
    ])
    func wrongUsageIsRefused(arguments: [String]) {
        #expect(tool(["lottery", "--data", "digits"] + arguments).code == 64)
    }

    @Test func aStepBehindTheEndIsRefused() throws {
        let folder = try TemporaryFolder()
        let result = tool(
            Self.quick + [
                "--arch", "lenet-300-100", "--seeds", "1", "--rewind", "5000", "--store", folder("r.sqlite"),
            ])
        #expect(result.code == 1)
        #expect(result.error.contains("5000"))
    }
}
