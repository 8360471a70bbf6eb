import EspalierCommands
import Testing

struct TheoryTests {
    @Test func redundancyOfTenUnits() throws {
        let text = tool("theory", "redundancy", "--units", "10", "--q", "0.5")
        #expect(text.code == 0, "\(text.error)")
        #expect(text.output.contains("0.0009765625"))
        let result = tool("theory", "redundancy", "--units", "10", "--q", "0.5", "--json")
        let figures = try result.entries("figures")
        let group = try #require(figures["a group of 10 fails"])
        #expect(group["predicted"] as? Double == 0.0009765625)
        let (lower, upper) = (group["lower"] as? Double, group["upper"] as? Double)
        #expect(try #require(lower) < 0.0009765625 && 0.0009765625 < (try #require(upper)))
        #expect(tool("theory", "redundancy", "--units", "10", "--q", "0.5").output == text.output)
    }

    @Test func exactRemovalAndReliability() throws {
        let result = tool(
            "theory", "redundancy", "--units", "2,3", "--pruned", "2", "--reliability", "0.9", "--json")
        #expect(result.code == 0, "\(result.error)")
        // One of C(5, 2) choices takes the pair, none the three.
        let figures = try result.entries("figures")
        #expect(abs(try #require(figures["a group of 2 fails"]?["predicted"] as? Double) - 0.1) < 1e-15)
        #expect(figures["a group of 3 fails"]?["predicted"] as? Double == 0)
        #expect(abs(try #require(figures["no group fails"]?["predicted"] as? Double) - 0.9) < 1e-15)
        let q = try #require(try result.document()["largestQ"] as? Double)
        #expect(abs((1 - q * q) * (1 - q * q * q) - 0.9) < 1e-12)
    }

    @Test(arguments: [
        ["--units", "10"], ["--units", "0", "--q", "0.5"], ["--units", "3,x", "--q", "0.5"],
        ["--units", "3", "--q", "1.5"], ["--units", "3", "--q", "nan"], ["--units", "3", "--pruned", "4"],
        ["--units", "3", "--q", "0.5", "--pruned", "1"], ["--units", "3", "--q", "0.5", "--trials", "0"],
        ["--units", "3", "--q", "0.5", "--groups", "0"],
        ["--units", "1000000", "--q", "0.5", "--groups", "9223372036854775807"],
        ["--units", "3", "--reliability", "2"],
    ])
    func wrongUsageIs64(options: [String]) {
        #expect(tool(["theory", "redundancy"] + options).code == 64)
    }
}
