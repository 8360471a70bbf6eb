import EspalierGraphs
import EspalierONNX
import Foundation
import TestSupport
import Testing

/// Writes models for Tools/goldens/check_export.py, which shows them to ONNX's checker and ONNX Runtime.
struct ExportForPeersTests {
    private static let folder = ProcessInfo.processInfo.environment["ESPALIER_EXPORT_FOLDER"]

    /// One folder per model: `inside.onnx`, `external.onnx` with its data, `sparse.onnx`, and `source.txt`, the original's path.
    @Test(.enabled(if: folder != nil, "set ESPALIER_EXPORT_FOLDER to a folder to write to"))
    func modelsAreWrittenForOtherSoftware() throws {
        let folder = try #require(Self.folder)
        let sources =
            (Fixture.models + Fixture.larger).map { Fixture.path("\($0).onnx") }
            + OfficialCase.Source.allCases.flatMap(OfficialCase.all).map { "\($0.folder)/model.onnx" }
        for (number, source) in sources.enumerated() {
            let target = "\(folder)/\(number)"
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            let graph = try ONNXModel.load(from: source)
            try ONNXModel.write(graph, to: "\(target)/inside.onnx")
            let options = ONNXExportOptions(weights: .external)
            try ONNXModel.write(graph, to: "\(target)/external.onnx", options: options)
            try ONNXModel.write(
                graph, to: "\(target)/sparse.onnx", options: ONNXExportOptions(usesSparseInitializers: true))
            try Data(source.utf8).write(to: URL(filePath: "\(target)/source.txt"))
        }
        #expect(FileManager.default.fileExists(atPath: "\(folder)/0/inside.onnx"))
    }
}
