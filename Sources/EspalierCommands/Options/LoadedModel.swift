import Espalier
import EspalierGraphs
import EspalierONNX
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

    /// One line on each input and output: its name, declared shape and type.
    static func declaration(_ ids: [ValueID], in graph: Graph) -> String {
        ids.map { id in
            guard let type = graph.values[id]?.type else { return graph.name(of: id) }
            return "\(graph.name(of: id)) \(type.dimensions?.text ?? "?") \(type.dtype.rawValue)"
        }.joined(separator: ", ")
    }
}
