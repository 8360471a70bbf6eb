import Foundation
import Testing

struct RedundancyTests {
    @Test func groupsArePredictedAndMeasured() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "redundancy", folder("dense.onnx"), "--data", "digits", "--tau", "0.8", "--q", "0.3", "--rates",
            "0,0.3,1", "--trials", "2", "--evidence-samples", "300", "--json", "--quiet", "--report",
            folder("r.html"))
        #expect(result.code == 0, "\(result.error)")
        let document = try result.document()
        let groups = try #require(document["groups"] as? [[String: Any]])
        // Every unit is in one group.
        for (layer, size) in [("conv1.weight", 32), ("conv2.weight", 64), ("fc1.weight", 128)] {
            let units = groups.filter { $0["layer"] as? String == layer }.flatMap {
                $0["units"] as? [Int] ?? []
            }
            #expect(units.sorted() == Array(0..<size))
        }
        for group in groups {
            let size = try #require((group["units"] as? [Int])?.count)
            let failure = try #require(group["failureProbability"] as? Double)
            #expect(abs(failure - pow(0.3, Double(size))) < 1e-12)
        }
        let measured = try #require(document["measured"] as? [[String: Any]])
        #expect(measured.map { $0["q"] as? Double } == [0, 0.3, 1])
        // Nothing removed loses nothing, all removed everything.
        #expect(measured[0]["lost"] as? Double == 0)
        #expect(measured[0]["accuracy"] as? Double == document["accuracy"] as? Double)
        #expect(measured[2]["lost"] as? Double == 1 && measured[2]["emptied"] as? Double == 1)
        let page = try String(contentsOfFile: folder("r.html"), encoding: .utf8)
        #expect(page.contains("Functional groups") && page.contains("Groups lost, predicted and measured"))
    }

    @Test func sameSeedSameWords() throws {
        let folder = try TrainedModel.folder()
        func words(_ seed: String) -> ToolResult {
            tool(
                "redundancy", folder("dense.onnx"), "--data", "digits", "--rates", "0.5", "--trials", "2",
                "--evidence-samples", "100", "--quiet", "--seed", seed)
        }
        let (one, again, other) = (words("1"), words("1"), words("2"))
        #expect(one.code == 0, "\(one.error)")
        #expect(one.output == again.output)
        #expect(one.output != other.output)
        #expect(one.output.contains("functionally lost"))
    }

    @Test(arguments: [
        ["--tau", "1.5"], ["--q", "-1"], ["--rates", "0.1,2"], ["--rates", "x"], ["--trials", "-1"],
        ["--evidence-samples", "1"], ["--reliability", "nan"],
    ])
    func wrongUsageIs64(options: [String]) {
        #expect(tool(["redundancy", "m.onnx", "--data", "digits"] + options).code == 64)
    }
}
