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

    /// The file does what the document says, and everything that went is accounted for.
    @Test func mergesAndWrites() throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "redundancy", folder("dense.onnx"), "--data", "digits", "--tau", "0.8", "--trials", "0",
            "--merge", "-o", folder("merged.onnx"), "--json", "--quiet", "--report", folder("r.html"))
        #expect(result.code == 0, "\(result.error)")
        let document = try result.document()
        let merging = try #require(document["merging"] as? [String: Any])
        let variants = try #require(merging["variants"] as? [[String: Any]])
        #expect(variants.map { $0["name"] as? String } == ["dense", "merged", "removed", "magnitude"])
        let parameters = variants.map { $0["parameters"] as? Int ?? 0 }
        #expect(parameters[1] < parameters[0] && parameters[1...].allSatisfy { $0 == parameters[1] })
        #expect(try result.number("before", "accuracy") == variants[0]["accuracy"] as? Double)
        #expect(try result.number("after", "accuracy") == variants[1]["accuracy"] as? Double)
        let evaluation = tool("eval", folder("merged.onnx"), "--data", "digits", "--json", "--quiet")
        #expect(try evaluation.number("accuracy") == result.number("after", "accuracy"))
        #expect(try abs(evaluation.number("loss") - result.number("after", "loss")) < 1e-6)
        // Each redundant unit is merged or stays, and the file has as many channels less.
        let redundant = try #require(document["groups"] as? [[String: Any]])
        let groups = try tool("inspect", folder("merged.onnx"), "--json", "--quiet").entries(
            "groups", by: "id")
        for layer in try #require(merging["layers"] as? [[String: Any]]) {
            let name = try #require(layer["name"] as? String)
            let merged = try #require(layer["merged"] as? [[String: Any]]).compactMap { $0["unit"] as? Int }
            let stayed = try #require(layer["stayed"] as? [[String: Any]]).compactMap { $0["unit"] as? Int }
            let expected = redundant.filter { $0["layer"] as? String == name }.reduce(0) { sum, group in
                let size = (group["units"] as? [Int])?.count ?? 0
                return sum + (group["isConstant"] as? Bool == true ? size : size - 1)
            }
            #expect(merged.count + stayed.count == expected && Set(merged).isDisjoint(with: stayed))
            let units = try #require(layer["units"] as? Int)
            #expect(groups[name]?["size"] as? Int == units - merged.count)
        }
        let page = try String(contentsOfFile: folder("r.html"), encoding: .utf8)
        #expect(page.contains("the same units removed") && page.contains("Receipt"))
    }

    @Test func nothingToMergeWritesNothing() throws {
        let folder = try TemporaryFolder()
        let training = tool(
            "train", "--arch", "lenet-300-100", "--activation", "leaky-relu", "--data", "digits", "--epochs",
            "1", "--quiet", "-o", folder("dense.onnx"))
        #expect(training.code == 0, "\(training.error)")
        let result = tool(
            "redundancy", folder("dense.onnx"), "--data", "digits", "--tau", "1", "--merge", "-o",
            folder("merged.onnx"), "--quiet")
        #expect(result.code == 1)
        #expect(result.error.contains("nothing to merge") && result.error.contains("a lower --tau"))
        #expect(!FileManager.default.fileExists(atPath: folder("merged.onnx")))
        let same = tool(
            "redundancy", folder("dense.onnx"), "--data", "digits", "--merge", "-o", folder("dense.onnx"))
        #expect(same.code == 1 && same.error.contains("never overwritten"))
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
        ["--evidence-samples", "1"], ["--reliability", "nan"], ["--merge"], ["-o", "merged.onnx"],
    ])
    func wrongUsageIs64(options: [String]) {
        #expect(tool(["redundancy", "m.onnx", "--data", "digits"] + options).code == 64)
    }
}
