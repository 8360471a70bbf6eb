import EspalierGraphs
import EspalierTensors
import Foundation
import Testing

@testable import EspalierONNX

/// The test cases of the ONNX project, from Debian's package `libonnx-testdata`.
enum OfficialCases {
    static let folder = "/usr/share/libonnx-testdata/data"
    static let isInstalled = FileManager.default.fileExists(atPath: folder)

    static func files(withExtension wanted: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasSuffix(".\(wanted)") }.sorted().map { "\(folder)/\($0)" }
    }
}

@Suite(.enabled(if: OfficialCases.isInstalled, "needs: apt-get install libonnx-testdata"))
struct OfficialCaseTests {
    @Test func everyModelIsReadAndWritten() throws {
        let paths = OfficialCases.files(withExtension: "onnx")
        #expect(paths.count > 1000)
        for path in paths {
            do {
                let graph = try ONNXModel.load(from: path)
                let again = try ONNXModel.load(bytes: try ONNXModel.serialized(graph))
                let changed = Set(again.summary).symmetricDifference(graph.summary)
                #expect(changed.isEmpty, "\(path)")
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    /// Inputs and expected outputs that are declared as tensors of numbers are read, and are what is declared;
    /// the others hold strings, sequences and optional values.
    @Test func everyTensorOfNumbersIsRead() throws {
        var read = 0
        for model in OfficialCases.files(withExtension: "onnx") {
            let graph = try ONNXModel.load(from: model)
            let folder = "\(splitPath(model).folder)/test_data_set_0"
            for (kind, ids) in [("input", graph.inputs), ("output", graph.outputs)] {
                for (position, id) in ids.enumerated() {
                    let path = "\(folder)/\(kind)_\(position).pb"
                    guard let type = graph.values[id]?.type, FileManager.default.fileExists(atPath: path)
                    else {
                        continue
                    }
                    let tensor = try ONNXTensorFile.load(path, declared: type.dtype)
                    #expect(tensor.dtype == type.dtype, "\(path)")
                    #expect(tensor.byteCount == tensor.shape.count * tensor.dtype.byteCount)
                    read += 1
                }
            }
        }
        #expect(read > 3000)
    }
}
