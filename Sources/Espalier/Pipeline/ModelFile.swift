package import EspalierGraphs
package import EspalierONNX
import EspalierOperators
package import EspalierTensors
package import EspalierTraining
import Foundation

/// Writes a network so that what is on disk is known to compute what is in memory.
package enum ModelFile {
    /// Writes to a temporary file, reads it back, runs both on the same inputs, and only then lets the file take its name.
    ///
    /// Of a network with opaque nodes the parts between them are run.
    ///
    /// - Parameters:
    ///   - source: a file that must not be overwritten: the command's input.
    ///   - dataset: where inputs come from, noise without one; how it was prepared is written into the file.
    ///   - inputShapes: of inputs whose declared ones are open; what it does not say, the data do.
    ///   - options: how it is written.
    /// - Returns: how far the outputs are apart: 0 but for the order of summation.
    /// - Throws: ``ModelFileError`` if they differ by more than rounding, or `path` is the input; ``ONNXError``.
    package static func write(
        _ graph: Graph, to path: String, protecting source: String? = nil, dataset: Dataset? = nil,
        inputShapes: [ValueID: Shape] = [:], options: ONNXExportOptions = ONNXExportOptions(),
        seed: UInt64 = 0
    ) throws -> OutputComparison {
        if let source, isSame(path, source) { throw ModelFileError.wouldOverwriteInput(path) }
        let inputShapes = try graph.openInputShapes(on: dataset).merging(inputShapes) { $1 }
        var graph = graph
        if let dataset { graph.metadata[Preprocessing.metadataKey] = try dataset.preprocessing.text() }
        let staged = try ONNXModel.stage(graph, at: path, options: options)
        let expected = try graph.understoodPart(inputShapes: inputShapes)
        let reimported = try staged.reimported()
        // Identities are a graph's own; names are what both have in common.
        let shapes = Dictionary(uniqueKeysWithValues: inputShapes.map { (graph.name(of: $0.key), $0.value) })
        let actual = try reimported.understoodPart(
            inputShapes: Dictionary(
                uniqueKeysWithValues: reimported.inputs.compactMap { id in
                    shapes[reimported.name(of: id)].map { (id, $0) }
                }))
        let batches = try VerificationInputs.batches(
            of: expected, dataset: dataset, shapes: inputShapes, seed: seed)
        let comparison = try OutputComparison(expected, actual, batches: batches)
        guard comparison.relativeDifference <= tolerance else {
            throw ModelFileError.differs(path: path, difference: comparison.maxAbsoluteDifference)
        }
        try staged.commit()
        return comparison
    }

    /// Relative to the outputs' range.
    private static let tolerance = 1e-5
}

extension ModelFile {
    /// Whether two paths lead to one file, which need not exist.
    private static func isSame(_ first: String, _ second: String) -> Bool {
        func resolved(_ path: String) -> String {
            URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
        }
        return resolved(first) == resolved(second)
    }
}

/// A model that is not written.
package enum ModelFileError: Error, Sendable, CustomStringConvertible {
    case wouldOverwriteInput(String)
    case differs(path: String, difference: Double)

    package var description: String {
        switch self {
        case .wouldOverwriteInput(let path): "\(path) is the input: give another name with --output"
        case .differs(let path, let difference):
            "\(path) is not written: read back, its outputs differ by \(difference). Please report this"
        }
    }
}
