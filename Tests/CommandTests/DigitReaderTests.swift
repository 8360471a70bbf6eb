import Espalier
import Foundation
import Testing

struct DigitReaderTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardized

    /// What the page shows is what is compiled and run here.
    @Test func pageShowsTheExample() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/library.md"), encoding: .utf8)
        let example = try String(
            contentsOf: Self.root.appending(path: "Tests/CommandTests/DigitReader.swift"), encoding: .utf8)
        #expect(page.contains("```swift\n\(example)```"))
    }

    @Test func manyClientsAreAnswered() async throws {
        let folder = try TemporaryFolder()
        let result = tool(
            "train", "--arch", "tiny-cnn", "--data", "digits", "--epochs", "1", "-o", folder("m.onnx"),
            "--quiet")
        #expect(result.code == 0, "\(result.error)")
        let model = folder("m.onnx")
        let session = try InferenceSession(model: model)
        let reader = try DigitReader(model: model, sessions: 2)
        var random = RandomSource(seed: 3)
        let images = (0..<20).map { _ in (0..<64).map { _ in Float(random.uniform()) } }
        let expected = try images.map { pixels in
            let logits = try session.run(["x": Tensor(shape: [1, 1, 8, 8], scalars: pixels)])["logits"]
            let scalars = try #require(logits).scalars(as: Float.self)
            return try #require(scalars.indices.max { scalars[$0] < scalars[$1] })
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (pixels, digit) in zip(images, expected) {
                group.addTask {
                    let found = try await reader.digit(in: pixels)
                    #expect(found == digit)
                }
            }
            try await group.waitForAll()
        }
    }
}
