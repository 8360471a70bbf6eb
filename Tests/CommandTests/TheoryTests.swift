import EspalierCommands
import Foundation
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

    /// Equal groups have a closed form, and what must not fail at all is not touched.
    @Test func reliabilityOfEqualGroups() throws {
        func largest(_ options: String...) throws -> Double {
            try tool(["theory", "redundancy", "--trials", "100", "--json"] + options).number("largestQ")
        }
        let q = try largest("--units", "4", "--groups", "100", "--reliability", "0.99")
        #expect(q == pow(-expm1(log1p(-(1 - 0.99)) / 100), 0.25))
        #expect(try largest("--units", "10000", "--reliability", "1") == 0)
        #expect(try largest("--units", "10000,20000", "--reliability", "1") == 0)
        #expect(try largest("--units", "10000", "--reliability", "0") == 1)
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

    /// Whatever the machine's constants are, a dense product is its own reference, and what holds of all products holds.
    @Test func efficiencyIsOfTheModel() throws {
        let options = ["theory", "efficiency", "--rows", "512", "--columns", "256", "--batch", "16"]
        let result = tool(options + ["--sparsity", "0.75", "--json", "--quiet"])
        #expect(result.code == 0, "\(result.error)")
        let formats = try result.entries("formats", by: "format")
        #expect(Set(formats.keys) == ["dense", "csr", "rows"])
        for (name, figure) in formats {
            func number(_ key: String) throws -> Double { try #require(figure[key] as? Double, "\(key)") }
            let parts = try #require(figure["parts"] as? [String: Double])
            let part = { parts[$0] ?? .nan }
            let sum =
                max(part("compute"), part("memory")) + part("visits") + part("sums") + part("copies")
                + part("fixed")
            #expect(abs(try number("predictedUs") / sum - 1) < 1e-12)
            #expect(try number("theoreticalSpeedup") == 4)
            #expect(abs(try number("realizedEfficiency") - number("predictedSpeedup") / 4) < 1e-12)
            if name == "dense" { #expect(try number("predictedSpeedup") == 1) }
            #expect(parts[try #require(figure["limit"] as? String)] == parts.values.max())
        }
        let text = tool(options + ["--sparsity", "0.75", "--format", "dense", "--quiet"])
        #expect(text.code == 0 && text.output.contains("dense") && !text.output.contains("csr"))
        #expect(text.output.contains("75 % of them zero"))
    }

    /// Not every instruction set has every kernel; each has a calibration.
    @Test(arguments: ["portable", "avx2"])
    func everyInstructionSetIsCalibrated(isa: String) throws {
        let folder = try TemporaryFolder()
        let result = try Program.run(
            [
                "theory", "efficiency", "--rows", "512", "--columns", "256", "--batch", "64", "--sparsity",
                "0.9",
                "--json", "--quiet",
            ], environment: ["ESPALIER_ISA": isa, "XDG_CACHE_HOME": folder.path])
        #expect(result.code == 0, "\(result.error)")
        #expect(Set(try result.entries("formats", by: "format").keys) == ["dense", "csr", "tiles"])
    }

    @Test func formatsWithoutConstantsAreSaid() throws {
        let folder = try TemporaryFolder()
        let result = try Program.run(
            [
                "theory", "efficiency", "--rows", "8", "--columns", "8", "--sparsity", "0.5", "--format",
                "bands", "--quiet",
            ], environment: ["ESPALIER_ISA": "portable", "XDG_CACHE_HOME": folder.path])
        #expect(result.code == 1 && result.error.contains("bands"), "\(result.error)")
    }

    @Test(arguments: [
        ["--rows", "8", "--columns", "8"], ["--rows", "0", "--columns", "8", "--sparsity", "0.5"],
        ["--rows", "8", "--columns", "8", "--sparsity", "1"],
        ["--rows", "8", "--columns", "8", "--sparsity", "nan"],
        ["--rows", "8", "--columns", "8", "--sparsity", "0.5", "--batch", "9223372036854775807"],
        ["--rows", "8", "--columns", "8", "--sparsity", "0.5", "--format", "magic"],
    ])
    func wrongUsageOfEfficiencyIs64(options: [String]) {
        #expect(tool(["theory", "efficiency"] + options).code == 64)
    }
}
