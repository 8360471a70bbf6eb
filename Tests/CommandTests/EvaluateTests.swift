import EspalierTensors
import Foundation
import Testing

struct EvaluateTests {
    /// Whether it ends in logits or in probabilities, and whatever batch size it was made for.
    @Test(arguments: ["classifier.onnx", "softmax.onnx", "one-sample.onnx"])
    func figuresAreThoseOfONNXRuntime(model: String) throws {
        let result = tool(
            "eval", Fixture.path(model), "--data", "npz:\(Fixture.path("images.npz"))", "--split", "all",
            "--scale", "0.0625", "--batch-size", "8", "--json")
        #expect(result.code == 0, "\(result.error)")
        let document = try result.document()
        #expect(document["samples"] as? Int == 61)
        let accuracy = try Fixture.expected("accuracy").scalars(as: Double.self)[0]
        #expect(abs(try #require(document["accuracy"] as? Double) - accuracy) < 1e-9)
        let loss = try Fixture.expected("loss").scalars(as: Double.self)[0]
        #expect(abs(try #require(document["loss"] as? Double) - loss) < 1e-5)
        #expect(document["command"] as? String == "eval")
        #expect((document["arguments"] as? [String])?.first == "eval")
    }

    @Test func reportIsWritten() throws {
        let folder = try TemporaryFolder()
        let result = tool(
            "eval", Fixture.path("classifier.onnx"), "--data", "digits", "--report", folder("r.html"),
            "--quiet")
        #expect(result.code == 0)
        #expect(result.error.isEmpty)
        #expect(result.output.contains("accuracy"))
        #expect(try String(contentsOfFile: folder("r.html"), encoding: .utf8).contains("digits/test"))
    }

    @Test func dataThatDoNotFitAreRefused() throws {
        let channels = tool("eval", Fixture.path("opaque.onnx"), "--data", "digits")
        #expect(channels.code == 1)
        #expect(channels.error.contains("3x8x8") && channels.error.contains("1x8x8"))
        let unlabelled = tool("eval", Fixture.path("classifier.onnx"), "--data", "random")
        #expect(unlabelled.code == 1)
        #expect(unlabelled.error.contains("no labels"))
        let means = tool("eval", Fixture.path("classifier.onnx"), "--data", "digits", "--mean", "1,2")
        #expect(means.error.contains("2 means for 1 channels"))
    }
}
