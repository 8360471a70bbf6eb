import Espalier
import EspalierArchives
import EspalierTensors
import Foundation
import Testing

/// Models that leave the size of images open, which then is that of the data.
struct OpenSizeTests {
    private static let images: Tensor = {
        let shape: Shape = [20, 3, 8, 6]
        let scalars: [Float] = (0..<shape.count).map { index in Float(index % 7) / 7 }
        return Tensor(shape: shape, scalars: scalars)
    }()
    /// Of one image of 8 x 6: 4 channels from 3 by kernels of 3 x 3.
    private static let macs = 4 * 3 * 9 * 6 * 4

    @Test func modelsAreWrittenWithTheDataTheyWerePrunedOn() throws {
        let folder = try TemporaryFolder()
        try NpzArchive.write([("x", Self.images)], to: folder("x.npz"))
        let result = tool(
            "prune", Fixture.path("open-size.onnx"), "--data", "npz:\(folder("x.npz"))", "--sparsity", "0.5",
            "--finetune-epochs", "0", "-o", folder("m.onnx"), "--json", "--quiet")
        #expect(result.code == 0, "\(result.error)")
        #expect(try result.number("before", "macs") == Double(Self.macs))
        #expect(FileManager.default.fileExists(atPath: folder("m.onnx")))
    }

    @Test func costsAreThoseOfTheDataSize() throws {
        let graph = try ONNXModel.load(from: Fixture.path("open-size.onnx"))
        let dataset = try Dataset(name: "images", inputs: [Dataset.Input(name: "x", values: Self.images)])
        let measures = try RunRecord.Measures(
            graph, dataset: dataset, evaluation: nil, split: "", path: nil)
        #expect(measures.macs == Self.macs)
    }
}
