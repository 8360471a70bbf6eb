import EspalierGraphs
import EspalierONNX
import EspalierTensors
import TestSupport
import Testing

/// The test cases of the ONNX project, as far as reading and writing them goes.
struct OfficialCaseTests {
    @Test(.enabled(if: OfficialCase.Source.debian.isInstalled, "\(OfficialCase.Source.debian.hint)"))
    func installedCasesAreReadAndWritten() throws {
        try Self.check(.debian, atLeast: 1000, tensors: 3000)
    }

    @Test(.enabled(if: OfficialCase.Source.generated.isInstalled, "\(OfficialCase.Source.generated.hint)"))
    func generatedCasesAreReadAndWritten() throws {
        try Self.check(.generated, atLeast: 1, tensors: 2)
    }

    /// Every model is read, and the same after it was written; every tensor of numbers is what is declared.
    private static func check(_ source: OfficialCase.Source, atLeast cases: Int, tensors: Int) throws {
        let all = OfficialCase.all(from: source)
        #expect(all.count >= cases)
        var read = 0
        for official in all {
            do {
                let graph = try official.graph()
                let again = try ONNXModel.load(bytes: try ONNXModel.serialized(graph))
                let changed = Set(again.summary).symmetricDifference(graph.summary)
                #expect(changed.isEmpty, "\(official.testDescription)")
                for set in try official.dataSets(for: graph) {
                    for (id, tensor) in set.inputs.merging(set.outputs, uniquingKeysWith: { left, _ in left })
                    {
                        #expect(tensor.dtype == graph.values[id]?.type?.dtype, "\(official.testDescription)")
                        read += 1
                    }
                }
            } catch {
                Issue.record("\(official.testDescription): \(error)")
            }
        }
        #expect(read >= tensors)
    }
}
