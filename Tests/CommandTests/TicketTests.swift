import EspalierTensors
import Foundation
import Testing

/// `theory ticket` and `theory ticket-frequency`.
struct TicketTests {
    @Test func predictionsHaveTwins() throws {
        let options = ["theory", "ticket", "--a", "0.9", "--s", "0.5", "--r", "10", "--m", "1000"]
        let result = tool(options + ["--trials", "20000", "--weights", "100", "--json"])
        try #require(result.code == 0, "\(result.error)")
        let figures = try result.entries("figures")
        #expect(figures.count == 4)
        let found = -expm1(1000 * log1p(-0x1p-10))
        func number(_ name: String, _ key: String) throws -> Double {
            try #require(figures[name]?[key] as? Double, "\(name) \(key)")
        }
        #expect(abs(try number("a ticket is kept", "predicted") - found) < 1e-12)
        #expect(abs(try number("and training succeeds", "predicted") - 0.9 * found) < 1e-12)
        #expect(try number("a ticket is kept, overlapping", "predicted") < found)
        for name in figures.keys {
            let predicted = try number(name, "predicted")
            #expect(try number(name, "lower") < predicted && predicted < number(name, "upper"), "\(name)")
        }
        #expect(abs(try result.number("expectedTickets") - 1000 / 1024) < 1e-12)
        let text = tool(options)
        #expect(text.code == 0 && text.output.contains("1000 of 10 weights"))
        #expect(text.output == tool(options).output)
    }

    @Test func whatIsWantedIsSolvedFor() throws {
        let common = ["theory", "ticket", "--a", "0.9", "--probability", "0.8", "--trials", "100", "--json"]
        let count = tool(common + ["--s", "0.5", "--r", "10"])
        let m = try count.number("solved", "value")
        #expect(abs(m - log1p(-0.8 / 0.9) / log1p(-0x1p-10)) < 1e-8)
        #expect(try count.number("m") == m.rounded(.up))
        let reached = try count.entries("figures")["and training succeeds"]?["predicted"] as? Double
        #expect(try #require(reached) >= 0.8)
        let share = tool(common + ["--m", "1000", "--r", "10"])
        let exact = try share.entries("figures")["and training succeeds"]?["predicted"] as? Double
        #expect(abs(try #require(exact) - 0.8) < 1e-12)
        let size = tool(common + ["--m", "1000", "--s", "0.5"])
        #expect(try size.number("r") == size.number("solved", "value").rounded(.down))
        // 0.9^5 and 0.7^30, as they are written: no smaller size is meant, however doubles round.
        for (s, wanted, r) in [("0.9", "0.59049", 5.0), ("0.7", "2.2539340290692258e-5", 30)] {
            let whole = tool(
                "theory", "ticket", "--s", s, "--m", "1", "--probability", wanted, "--trials", "100",
                "--json")
            #expect(try whole.number("r") == r && whole.number("solved", "whole") == r)
        }
        let never = tool("theory", "ticket", "--a", "0.5", "--probability", "0.6", "--s", "0.5", "--r", "3")
        #expect(never.code == 1 && never.error.contains("trainability"), "\(never.error)")
    }

    @Test func hugeNetworksAreToldAndNotSimulated() throws {
        let options = ["theory", "ticket", "--s", "0.1", "--r", "1000", "--m", "1000000000"]
        let result = tool(options + ["--json"])
        try #require(result.code == 0, "\(result.error)")
        let figure = try #require(try result.entries("figures")["and training succeeds"])
        #expect(figure["predicted"] as? Double == 0 && figure["simulated"] == nil)
        #expect(abs(try #require(figure["logarithm"] as? Double) + 991 * log(10)) < 1e-8)
        let text = tool(options)
        #expect(text.code == 0 && text.output.contains("not simulated"))
    }

    @Test(arguments: [
        ["--s", "0.5", "--r", "10"], ["--s", "0.5", "--r", "10", "--m", "3", "--probability", "0.5"],
        ["--s", "1.5", "--r", "10", "--m", "3"], ["--s", "nan", "--r", "10", "--m", "3"],
        ["--s", "0.5", "--r", "-1", "--m", "3"], ["--s", "0.5", "--r", "1", "--m", "9223372036854775807"],
        ["--fit", "t.csv", "--s", "0.5"], ["--s", "0.5", "--r", "1", "--m", "3", "--trials", "0"],
    ])
    func wrongUsageIs64(options: [String]) {
        #expect(tool(["theory", "ticket"] + options).code == 64)
    }

    @Test(arguments: [
        ["--bits", "0"], ["--bits", "11"], ["--shares", "0"], ["--shares", "0.5,1.5"], ["--shares", "x"],
        ["--networks", "0"], ["--steps", "0"], ["--learning-rate", "nan"], ["--threshold", "0"],
    ])
    func wrongUsageOfTheMeasurementIs64(options: [String]) {
        #expect(tool(["theory", "ticket-frequency"] + options).code == 64)
    }

    @Test func tablesAreFitted() throws {
        let folder = try TemporaryFolder()
        var random = RandomSource(seed: 1)
        let lines = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1].map { s in
            let p = 0.9 * (1 - pow(1 - pow(s, 4), 20))
            return "left out,\((0..<200).count { _ in random.uniform() < p }),200, \(s)"
        }
        let table = (["note,successes,trials,s"] + lines).joined(separator: "\r\n")
        try Data(table.utf8).write(to: URL(filePath: folder("t.csv")))
        let options = ["theory", "ticket", "--fit", folder("t.csv"), "--trials", "99"]
        let result = tool(options + ["--json"])
        try #require(result.code == 0, "\(result.error)")
        for (name, truth) in [("trainability", 0.9), ("size", 4), ("count", 20)] {
            // Much wider than 95 %, so that the seed does not matter.
            let value = try result.number("ticketFrequencies", "fit", name, "value")
            #expect(value > truth / 3 && value < 3 * truth)
            #expect(try result.number("ticketFrequencies", "fit", name, "lower") < value)
        }
        #expect(try result.number("ticketFrequencies", "fit", "degreesOfFreedom") == 5)
        let text = tool(options)
        #expect(text.code == 0 && text.output.contains("degrees of freedom"))
        #expect(text.output.contains("rejected"))
    }

    @Test(arguments: [
        ("", "empty"), ("s,successes\n0.5,3\n", "trials"), ("s,successes,trials\n0.5,3\n", "line 2"),
        ("s,successes,trials\n0.5,3.5,10\n", "line 2"), ("s,successes,trials\nx,3,10\n", "line 2"),
        ("s,successes,trials\n", "shares"), ("s,successes,trials\n0.5,11,10\n", "11 of 10"),
        ("s,successes,trials\n0,0,10\n", "above 0"), ("s,successes,trials\n0.5,1e30,1e31\n", "line 2"),
    ])
    func damagedTablesAreRefused(text: String, reason: String) throws {
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: URL(filePath: folder("t.csv")))
        let result = tool("theory", "ticket", "--fit", folder("t.csv"))
        #expect(result.code == 1 && result.error.contains(reason), "\(result.error)")
        #expect(tool("theory", "ticket", "--fit", folder("missing.csv")).code == 1)
    }

    /// Whole networks learn parity, networks of hardly any weight do not, and no order, number of threads or interruption
    /// changes anything.
    @Test func frequenciesAreMeasuredOnce() throws {
        let folder = try TemporaryFolder()
        func options(_ store: String, networks: String, threads: String) -> [String] {
            [
                "theory", "ticket-frequency", "--shares", "1,0.05", "--networks", networks, "--steps", "150",
                "--threads", threads, "--store", folder(store), "--json", "--quiet",
            ]
        }
        let result = tool(
            options("one.sqlite", networks: "30", threads: "2") + [
                "-o", folder("t.csv"), "--report", folder("t.html"),
            ])
        try #require(result.code == 0, "\(result.error)")
        func points(_ result: ToolResult) throws -> [[Int]] {
            let tickets = try #require(try result.document()["ticketFrequencies"] as? [String: Any])
            return try #require(tickets["points"] as? [[String: Any]]).map {
                [$0["successes"] as? Int ?? -1, $0["trials"] as? Int ?? -1]
            }
        }
        let seen = try points(result)
        let page = try String(contentsOfFile: folder("t.html"), encoding: .utf8)
        #expect(page.contains("Winning tickets") && page.contains("\(seen[1][0]) of 30"))
        #expect(seen.map { $0[1] } == [30, 30])
        #expect(seen[0][0] < 10 && seen[1][0] > 25)
        #expect(try points(tool(options("two.sqlite", networks: "30", threads: "1"))) == seen)
        // Blocks of 250: the first was not whole.
        #expect(
            try points(tool(options("one.sqlite", networks: "260", threads: "1"))).map { $0[1] } == [
                260, 260,
            ])
        let listed = try tool("runs", "list", "--store", folder("one.sqlite"), "--json").document()
        #expect(try #require(listed["records"] as? [[String: Any]]).count == 2 * 3)
        let fit = tool("theory", "ticket", "--fit", folder("t.csv"), "--json")
        #expect(try points(fit) == seen)
    }

    /// The runs behind docs/theory.md: no share of networks succeeds more often than masks allow parity of two bits, and of those
    /// that could, the more succeed the more is kept.
    @Test func recordedNetworksLearnNoMoreThanMasksAllow() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/results/ticket-frequency.jsonl")
        var counts: [Double: (successes: Double, networks: Double)] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let entry = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let record = try #require(entry["record"] as? [String: Any])
            let figures = try #require(record["figures"] as? [String: Double])
            let share = try #require(figures["share"])
            counts[share, default: (0, 0)].successes += try #require(figures["successes"])
            counts[share, default: (0, 0)].networks += try #require(figures["networks"])
        }
        var shown: [String] = []
        var last = 0.0
        for (share, count) in counts.sorted(by: { $0.key < $1.key }) {
            #expect(count.networks == 2000)
            let (allowed, measured) = (
                masksAllowingParity(share, units: 16), count.successes / count.networks
            )
            let error = (allowed * (1 - allowed) / count.networks).squareRoot()
            #expect(measured <= allowed + 4 * error, "s = \(share)")
            // Where more than one network in a hundred succeeds, chance does not hide the trend.
            if measured > 0.01 {
                #expect(measured / allowed > last - 0.02)
                last = measured / allowed
            }
            shown.append(
                String(format: "| %g | %.4f | %.4f | %.2f |", share, allowed, measured, measured / allowed))
        }
        let page = try String(
            contentsOf: file.deletingLastPathComponent().appending(path: "../theory.md"), encoding: .utf8)
        #expect(shown.count { page.contains($0) } == 6)
    }

    /// The probability that a mask of a network with two inputs, one hidden layer and two outputs leaves a network which can
    /// compute parity: two units that read both inputs and are read, or one and two others that read one input each.
    private func masksAllowingParity(_ s: Double, units: Int) -> Double {
        let isRead = 1 - (1 - s) * (1 - s)
        let (both, one) = (s * s * isRead, s * (1 - s) * isRead)
        func none(_ share: Double, of units: Int) -> Double { pow(1 - share, Double(units)) }
        let alone = 2 * none(both + one, of: units - 1) - none(both + 2 * one, of: units - 1)
        return 1 - none(both, of: units) - Double(units) * both * alone
    }

    /// Every mask of two and of three units, and whether it allows parity, looked at unit by unit.
    @Test(arguments: [2, 3], [0.3, 0.8])
    func allowedMasksAreCounted(units: Int, s: Double) {
        var sum = 0.0
        for mask in 0..<(1 << (4 * units)) {
            let kept = Double(mask.nonzeroBitCount)
            var (both, first, second) = (0, 0, 0)
            for unit in 0..<units {
                let bits = mask >> (4 * unit) & 15
                guard bits >> 2 != 0 else { continue }
                switch bits & 3 {
                case 1: first += 1
                case 2: second += 1
                case 3: both += 1
                default: break
                }
            }
            if both > 1 || both == 1 && first > 0 && second > 0 {
                sum += pow(s, kept) * pow(1 - s, Double(4 * units) - kept)
            }
        }
        #expect(abs(sum - masksAllowingParity(s, units: units)) < 1e-12)
    }
}
