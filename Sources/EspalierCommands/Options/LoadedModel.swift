import Espalier
import EspalierGraphs
import EspalierONNX
import EspalierPruning
import Foundation

/// A model that a command was given.
struct LoadedModel {
    let path: String
    let graph: Graph

    /// - Throws: ``ONNXError``.
    init(_ path: String) throws {
        self.path = path
        graph = try ONNXModel.load(from: path)
    }

    /// The size of the file itself, without external data.
    var byteCount: Int? {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int
    }

    /// The name in the file or, where that says nothing, the file's.
    var name: String {
        graph.name.isEmpty ? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent : graph.name
    }

    /// Refuses models that cannot stand for one another, as seeds take them in turn.
    ///
    /// - Throws: ``CommandFailure`` that names one which is built otherwise than most are.
    static func checkAlike(_ models: [LoadedModel]) throws(CommandFailure) {
        let built = models.map(\.graph.structuralFingerprint)
        func count(_ fingerprint: String) -> Int { built.count { $0 == fingerprint } }
        guard let usual = built.max(by: { count($0) < count($1) }),
            let one = zip(models, built).first(where: { $0.1 == usual })?.0,
            let odd = zip(models, built).first(where: { $0.1 != usual })?.0
        else { return }
        throw CommandFailure(
            "\(odd.path): is built otherwise than \(one.path); give models of one architecture, trained with different seeds"
        )
    }

    /// One line on each input and output: its name, declared shape and type.
    static func declaration(_ ids: [ValueID], in graph: Graph) -> String {
        ids.map { id in
            guard let type = graph.values[id]?.type else { return graph.name(of: id) }
            return "\(graph.name(of: id)) \(type.dimensions?.text ?? "?") \(type.dtype.rawValue)"
        }.joined(separator: ", ")
    }
}
