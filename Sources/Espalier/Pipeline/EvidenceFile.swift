import EspalierArchives
package import EspalierGraphs
package import EspalierPruning
import EspalierTensors
import Foundation

/// Evidence that training left behind, beside the model: `model.evidence.npz` for `model.onnx`.
///
/// Arrays are `movement/NAME` and `saliency/NAME` with the initializers' names and shapes, `samples` (how many samples'
/// gradients were seen), and `weights`, by which it is known to which model it belongs.
package enum EvidenceFile {
    /// The file that belongs to a model's.
    package static func path(beside model: String) -> String {
        let suffix = ".onnx"
        return (model.hasSuffix(suffix) ? String(model.dropLast(suffix.count)) : model) + ".evidence.npz"
    }

    /// - Parameter graph: the finished model, whose parameters have the identities that the evidence names.
    /// - Throws: ``ArchiveError``.
    package static func write(_ evidence: Evidence, of graph: Graph, at path: String) throws {
        var arrays: [(name: String, tensor: Tensor)] = [
            ("weights", Tensor(shape: [1], scalars: [fingerprint(graph)])),
            ("samples", Tensor(shape: [1], scalars: [Int64(evidence.sampleCount)])),
        ]
        for quantity in JourneyRecorder.Quantity.allCases {
            for (id, tensor) in evidence[quantity.kind].sorted(by: { $0.key < $1.key }) {
                arrays.append(("\(quantity.rawValue)/\(graph.name(of: id))", tensor))
            }
        }
        try NpzArchive.write(arrays, to: path)
    }

    /// What a criterion needs from training; none if it needs nothing of the kind.
    ///
    /// - Throws: ``EvidenceFileError``; ``ArchiveError`` if the file is damaged.
    package static func evidence(
        for criterion: any Criterion, of graph: Graph, beside model: String
    ) throws -> Evidence {
        let quantities = JourneyRecorder.Quantity.allCases.filter {
            criterion.requiredEvidence.contains($0.kind)
        }
        guard !quantities.isEmpty else { return .none }
        let path = path(beside: model)
        guard FileManager.default.fileExists(atPath: path) else {
            throw EvidenceFileError.missing(
                criterion: criterion.information.id, path: path, quantity: quantities[0].rawValue)
        }
        let archive = try NpzArchive(contentsOf: path)
        guard archive.names.contains("weights"),
            try archive.tensor("weights").scalars(as: Int64.self) == [fingerprint(graph)]
        else {
            throw EvidenceFileError.ofAnotherModel(path: path, model: model)
        }
        var evidence = Evidence()
        if archive.names.contains("samples") {
            evidence.sampleCount = Int(try archive.tensor("samples").scalars(as: Int64.self).first ?? 0)
        }
        let ids = Dictionary(graph.parameters.map { (graph.name(of: $0), $0) }) { first, _ in first }
        for quantity in quantities {
            for name in archive.names where name.hasPrefix("\(quantity.rawValue)/") {
                guard let id = ids[String(name.dropFirst(quantity.rawValue.count + 1))] else { continue }
                evidence[quantity.kind][id] = try archive.tensor(name)
            }
            guard !evidence[quantity.kind].isEmpty else {
                throw EvidenceFileError.missing(
                    criterion: criterion.information.id, path: path, quantity: quantity.rawValue)
            }
        }
        return evidence
    }

    /// Which weights it was collected for.
    private static func fingerprint(_ graph: Graph) -> Int64 {
        Int64(bitPattern: graph.parameterFingerprint)
    }
}

/// Why evidence of training cannot be used.
package enum EvidenceFileError: Error, Sendable, CustomStringConvertible {
    case missing(criterion: String, path: String, quantity: String)
    case ofAnotherModel(path: String, model: String)

    package var description: String {
        switch self {
        case .missing(let criterion, let path, let quantity):
            "criterion '\(criterion)' needs what training leaves behind, and \(path) has none of it: train or finetune the "
                + "model with --collect \(quantity)"
        case .ofAnotherModel(let path, let model):
            "\(path) was collected for other weights than those of \(model): train or finetune it with --collect again"
        }
    }
}
