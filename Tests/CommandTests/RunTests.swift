import EspalierArchives
import EspalierTensors
import Testing

struct RunTests {
    /// A model made for one sample is run once for each.
    @Test(arguments: ["classifier.onnx", "one-sample.onnx"], ["prepared.npz", "prepared.npy"])
    func outputsAreThoseOfONNXRuntime(model: String, input: String) throws {
        let folder = try TemporaryFolder()
        let result = tool(
            "run", Fixture.path(model), "--input", Fixture.path(input), "-o", folder("y.npz"), "--json")
        #expect(result.code == 0, "\(result.error)")
        let outputs = try #require(try result.document()["outputs"] as? [[String: Any]])
        #expect(outputs.map { $0["name"] as? String } == ["logits"])
        #expect(outputs.first?["shape"] as? [Int] == [61, 10])
        let logits = try NpzArchive(contentsOf: folder("y.npz")).tensor("logits")
        #expect(try difference(logits, Fixture.expected("logits")) < 1e-5)
    }

    @Test func batchesChangeNothing() throws {
        let folder = try TemporaryFolder()
        let result = tool(
            "run", Fixture.path("classifier.onnx"), "-i", Fixture.path("prepared.npz"), "-o", folder("y.npz"),
            "--batch-size", "7", "--threads", "2")
        #expect(result.code == 0)
        let logits = try NpzArchive(contentsOf: folder("y.npz")).tensor("logits")
        #expect(try difference(logits, Fixture.expected("logits")) < 1e-5)
    }

    @Test func valuesInsideCanBeAskedFor() throws {
        let folder = try TemporaryFolder()
        let result = tool(
            "run", Fixture.path("softmax.onnx"), "-i", Fixture.path("prepared.npz"), "-o", folder("y.npz"),
            "--value", "logits", "--value", "b")
        #expect(result.code == 0)
        let archive = try NpzArchive(contentsOf: folder("y.npz"))
        #expect(archive.names == ["logits", "b"])
        #expect(try difference(archive.tensor("logits"), Fixture.expected("logits")) < 1e-5)
        #expect(try archive.tensor("b").shape == [61, 4, 8, 8])
    }

    @Test func inputsThatDoNotFitAreNamed() {
        let unnamed = tool("run", Fixture.path("two-inputs.onnx"), "-i", Fixture.path("prepared.npz"))
        #expect(unnamed.code == 1)
        #expect(unnamed.error.contains("no array for the model's input 'a'; there is 'x', 'y'"))
        let shape = tool("run", Fixture.path("opaque.onnx"), "-i", Fixture.path("prepared.npz"))
        #expect(shape.code == 1)
        #expect(shape.error.contains("input 'x'"))
        let value = tool(
            "run", Fixture.path("classifier.onnx"), "-i", Fixture.path("prepared.npz"), "--value", "nowhere")
        #expect(value.code == 1)
        #expect(value.error.contains("no value 'nowhere'"))
    }

    @Test func outputThatCannotBeWrittenIsRefusedFirst() {
        let result = tool(
            "run", Fixture.path("classifier.onnx"), "-i", Fixture.path("prepared.npz"), "-o", "/nowhere/y.npz"
        )
        #expect(result.code == 1)
        #expect(result.error.contains("no folder '/nowhere'"))
    }
}
