import EspalierGraphs
import EspalierTensors

/// Which constants go to the external file, and where in it.
struct ExternalDataLayout {
    /// The file's name, relative to the model's folder.
    let location: String
    let offsets: [ValueID: Int]

    /// Offsets are multiples of a page, so that readers can map tensors into memory.
    private static let alignment = 4096
    /// Smaller tensors stay inside: other software looks at shapes and axes before it opens external files.
    private static let smallestTensor = 1024

    /// - Parameter inside: constants that stay in the model whatever their size.
    init(of graph: Graph, location: String, inside: Set<ValueID>) {
        var offsets: [ValueID: Int] = [:]
        var end = 0
        for (id, tensor) in graph.constants.sorted(by: { $0.key < $1.key })
        where tensor.byteCount >= Self.smallestTensor && !inside.contains(id) {
            let offset = (end + Self.alignment - 1) / Self.alignment * Self.alignment
            offsets[id] = offset
            end = offset + tensor.byteCount
        }
        self.location = location
        self.offsets = offsets
    }

    /// Writes the tensors' bytes.
    func write(_ graph: Graph, to file: TemporaryFile) throws(ONNXError) {
        for (id, offset) in offsets.sorted(by: { $0.value < $1.value }) {
            guard let tensor = graph.constants[id] else { continue }
            var failure: ONNXError?
            tensor.withUnsafeBytes { bytes in
                do throws(ONNXError) { try file.write(bytes, at: offset) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }
}
