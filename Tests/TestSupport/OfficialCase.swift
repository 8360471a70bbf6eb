package import EspalierGraphs
package import EspalierONNX
import EspalierOperators
package import EspalierTensors
import Foundation
import Testing

/// One case of the ONNX project's own node tests: a model, inputs, and the outputs that it must give.
///
/// Cases come from two places, of which either may be missing: Debian's package `libonnx-testdata` (operator sets up
/// to 17), and what Tools/goldens/make_new_operator_cases.py wrote (newer ones).
package struct OfficialCase: Sendable, Hashable, CustomTestStringConvertible {
    /// Where the cases lie.
    package enum Source: String, Sendable, CaseIterable {
        case debian, generated

        package var folder: String {
            switch self {
            case .debian: "/usr/share/libonnx-testdata/data"
            case .generated:
                URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                    .deletingLastPathComponent().appending(path: ".build/conformance/cases").path
            }
        }

        /// Whether there are cases; `hint` says how to get them.
        package var isInstalled: Bool { FileManager.default.fileExists(atPath: folder) }

        package var hint: String {
            switch self {
            case .debian: "needs: apt-get install libonnx-testdata"
            case .generated: "needs: python3 Tools/goldens/make_new_operator_cases.py"
            }
        }
    }

    package let source: Source
    /// The folder below the source's: "node/test_relu", or "test_mish" for a generated one.
    package let name: String

    package var folder: String { "\(source.folder)/\(name)" }
    package var testDescription: String { "\(source) \(name)" }

    /// All cases of a source that have a model, in the order of their names.
    package static func all(from source: Source) -> [OfficialCase] {
        let files = FileManager.default.enumerator(atPath: source.folder)?.compactMap { $0 as? String } ?? []
        let suffix = "/model.onnx"
        return files.filter { $0.hasSuffix(suffix) }.sorted()
            .map { OfficialCase(source: source, name: String($0.dropLast(suffix.count))) }
    }

    package func graph() throws(ONNXError) -> Graph {
        try ONNXModel.load(from: "\(folder)/model.onnx")
    }

    /// Inputs and expected outputs, once or several times.
    ///
    /// Values whose declared type is no tensor of numbers (strings, sequences) are left out; a case is complete
    /// only if ``isNumeric(_:)``.
    package func dataSets(for graph: Graph) throws(ONNXError) -> [OfficialDataSet] {
        func tensors(
            _ kind: String, _ ids: [ValueID], in folder: String
        ) throws(ONNXError) -> [ValueID: Tensor] {
            var result: [ValueID: Tensor] = [:]
            for (position, id) in ids.enumerated() {
                guard let type = graph.values[id]?.type else { continue }
                result[id] = try ONNXTensorFile.load(
                    "\(folder)/\(kind)_\(position).pb", declared: type.dtype)
            }
            return result
        }
        var sets: [OfficialDataSet] = []
        var path = "\(folder)/test_data_set_0"
        while FileManager.default.fileExists(atPath: path) {
            sets.append(
                OfficialDataSet(
                    inputs: try tensors("input", graph.inputs, in: path),
                    outputs: try tensors("output", graph.outputs, in: path)))
            path = "\(folder)/test_data_set_\(sets.count)"
        }
        return sets
    }

    /// Whether all inputs and outputs are tensors of numbers.
    package static func isNumeric(_ graph: Graph) -> Bool {
        (graph.inputs + graph.outputs).allSatisfy { graph.values[$0]?.type != nil }
    }

    /// Whether floating-point numbers go in or come out: the cases that every covered operator must pass.
    package static func isFloat(_ graph: Graph) -> Bool {
        isNumeric(graph)
            && (graph.inputs + graph.outputs).contains {
                graph.values[$0]?.type?.dtype.isFloatingPoint ?? false
            }
    }

    /// Whether all operators are in the catalog, in whatever version.
    package static func isCovered(_ graph: Graph) -> Bool {
        graph.nodes.allSatisfy { catalogNames.contains($0.operatorName) }
    }

    private static let catalogNames = Set(Catalog.operators.flatMap { $0.schemas.map(\.name) })
}

/// What goes into a model, and what must come out of it.
package struct OfficialDataSet: Sendable {
    package let inputs: [ValueID: Tensor]
    package let outputs: [ValueID: Tensor]
}
