import Espalier
import Foundation
import Testing

/// The README's example of library use, as it stands there, compiled and run.
struct LibraryExampleTests {
    private func classify(_ path: String) throws -> Int? {
        // README: begin
        let session = try InferenceSession(model: path)
        let image = Tensor(shape: [1, 1, 8, 8], scalars: [Float](repeating: 0.5, count: 64))
        let outputs = try session.run(["x": image])
        let logits = outputs["logits"]?.scalars(as: Float.self) ?? []
        let digit = logits.indices.max { logits[$0] < logits[$1] }
        // README: end
        return digit
    }

    @Test func exampleRuns() throws {
        let folder = try TemporaryFolder()
        let model = folder("dense.onnx")
        let trained = tool(
            "train", "--arch", "lenet-300-100", "--data", "digits", "--epochs", "1", "-o", model, "--quiet")
        try #require(trained.code == 0, "\(trained.error)")
        let digit = try #require(try classify(model))
        #expect((0..<10).contains(digit))
    }

    @Test func exampleIsTheOneInTheReadMe() throws {
        let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let readMe = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../README.md")
        let page = try String(contentsOf: readMe.standardized, encoding: .utf8)
        let part = source.components(separatedBy: "        // README: begin\n").last?
            .components(separatedBy: "        // README: end\n").first
        let lines = try #require(part).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        try #require(lines.count > 4)
        for line in lines { #expect(page.contains(line), "the README does not show: \(line)") }
    }
}
