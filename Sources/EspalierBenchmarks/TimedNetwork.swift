import EspalierGraphs
import EspalierONNX
import EspalierTraining
import Foundation

/// A network to time: a built-in one for 28x28 images, by the name of its architecture, or an ONNX file, by its path.
struct TimedNetwork {
    let name: String

    var isFile: Bool { name.hasSuffix(".onnx") }

    /// Whether there is such an architecture, or such a file.
    var exists: Bool {
        isFile ? FileManager.default.fileExists(atPath: name) : Architectures.named(name) != nil
    }

    /// Made or read anew each time, so that large networks are in memory only while they are timed.
    func graph() throws -> Graph {
        guard isFile else { return try TrainingThroughput.network(name) }
        return try ONNXModel.load(from: name)
    }

    /// Calls `body` with the path of a file of the network, which for a built-in one is written from `graph` and then removed.
    func withFile(of graph: Graph, _ body: (String) throws -> Void) throws {
        guard !isFile else { return try body(name) }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("espalier-\(name).onnx").path
        try ONNXModel.write(graph, to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }
}
