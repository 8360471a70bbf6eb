import EspalierArchives
import EspalierONNX
import EspalierOperators
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// The references against ONNX Runtime, whose outputs are committed. How to make them again after cases were added or
/// changed is told in Tools/goldens/make_operator_goldens.py.
@Suite struct GoldenTests {
    private static let folder = ProcessInfo.processInfo.environment["ESPALIER_CASES_FOLDER"]

    private static let archive: NpzArchive? = Bundle.module
        .url(forResource: "Fixtures", withExtension: nil)
        .flatMap { try? NpzArchive(contentsOf: $0.appendingPathComponent("onnxruntime.npz").path) }

    /// The arrays there are, by name.
    private static let goldenNames = Set(archive?.names ?? [])

    @Test(arguments: ConformanceCase.declared)
    func referencesAgreeWithONNXRuntime(_ source: ConformanceCase) throws {
        let prepared = try PreparedCase(source)
        let archive = try #require(Self.archive, "Fixtures/onnxruntime.npz cannot be read")
        let outputs = try prepared.reference(Double.self)
        for (port, facts) in prepared.signature.outputs.enumerated() {
            let name = "\(source.name)/y\(port)"
            let problem = try Self.difference(
                outputs[port], facts, from: archive, name, source.tolerances.forward)
            if let reason = Self.exceptions[source.name] ?? Self.exceptions[name] {
                #expect(problem != nil, "\(name) agrees, but is listed as an exception: \(reason)")
            } else if let problem {
                Issue.record("\(name): \(problem)")
            }
        }
    }

    private static func difference(
        _ output: ReferenceValue<Double>, _ facts: ValueFacts, from archive: NpzArchive, _ name: String,
        _ tolerance: Tolerance
    ) throws -> String? {
        guard goldenNames.contains(name) else { return "missing: run Tools/goldens/make_operator_goldens.py" }
        let golden = try archive.tensor(name)
        guard golden.dtype == facts.dtype else { return "inferred \(facts.dtype), not \(golden.dtype)" }
        var tolerance = tolerance
        // Both sides round: to 24 bits, and where functions are approximated to somewhat less.
        tolerance.relative = max(tolerance.relative, 1e-4)
        return TestSupport.difference(
            output.tensor(as: .float64), from: golden.converted(to: .float64), tolerance)
    }

    @Test func everyExceptionIsACase() {
        let names = Set(ConformanceCase.all.map(\.name))
        let unknown = Self.exceptions.keys.filter { !names.contains($0) && !Self.goldenNames.contains($0) }
        #expect(unknown.sorted() == [])
    }

    @Test(arguments: ConformanceCase.all)
    func roundTripsThroughONNX(_ source: ConformanceCase) throws {
        let problems = try PreparedCase(source).checkRoundTrip()
        #expect(problems.isEmpty, "\(source.name): \(problems.joined(separator: "; "))")
    }

    /// Writes `N.onnx`, a model named after the case, and `N.npz`, its inputs, for ONNX Runtime to run.
    @Test(.enabled(if: folder != nil, "set ESPALIER_CASES_FOLDER to a folder to write to"))
    func casesAreWrittenForONNXRuntime() throws {
        let folder = try #require(Self.folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (number, source) in ConformanceCase.declared.enumerated() {
            let prepared = try PreparedCase(source)
            try ONNXModel.write(try prepared.graph(), to: "\(folder)/\(number).onnx")
            let arrays = prepared.inputs.enumerated().compactMap { port, tensor in
                tensor.flatMap { prepared.isConstant(port) ? nil : (name: "x\(port)", tensor: $0) }
            }
            try NpzArchive.write(arrays, to: "\(folder)/\(number).npz")
        }
        #expect(FileManager.default.fileExists(atPath: "\(folder)/0.onnx"))
    }
}
