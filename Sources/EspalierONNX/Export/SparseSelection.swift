import EspalierGraphs
import EspalierTensors

/// Which constants are written as sparse initializers, and the bytes that their messages take.
///
/// Those of which that takes fewer bytes, all counted, than an ordinary initializer. They stay inside the model's file, also
/// where other weights go to a second one, as far as they fit.
struct SparseSelection {
    private(set) var ids: Set<ValueID> = []
    private(set) var byteCount = 0

    /// None.
    init() {}

    /// - Parameter limit: the most bytes that the messages may take together; constants beyond it stay dense.
    init(of graph: Graph, limit: Int) throws(ONNXError) {
        var allowance = SparseAllowance()
        // ONNX Runtime refuses a sparse initializer that is an output of the graph.
        let outputs = Set(graph.outputs)
        for (id, tensor) in graph.constants.sorted(by: { $0.key < $1.key }) where !outputs.contains(id) {
            var header = try graph.initializerHeader(of: id)
            guard let sparse = SparseTensorProto(storing: tensor, header: header),
                // Before a message is encoded that might be larger than one can be.
                sparse.payloadByteCount < tensor.byteCount, sparse.payloadByteCount <= limit - byteCount
            else { continue }
            header.fillHeader(of: tensor)
            // The list's own tag takes one byte either way, and a length takes no more for fewer bytes.
            let sparseByteCount = try encode(sparse).count
            let denseByteCount = try encode(header).count + Varint.fieldByteCount(of: tensor.byteCount)
            guard sparseByteCount < denseByteCount, sparseByteCount <= limit - byteCount,
                allowance.admits(byteCount: tensor.byteCount, valueByteCount: sparse.values.rawData.count)
            else { continue }
            ids.insert(id)
            byteCount += sparseByteCount
        }
    }

    /// The bytes that the constants of `graph` take inside the model's file if none go to a second one.
    func insideByteCount(of graph: Graph) -> Int {
        graph.constants.reduce(byteCount) { $0 + (ids.contains($1.key) ? 0 : $1.value.byteCount) }
    }
}

extension SparseTensorProto {
    /// The bytes of the values and of the indices.
    fileprivate var payloadByteCount: Int {
        indices.int64Data.reduce(values.rawData.count) { $0 + Varint.byteCount(of: UInt64(bitPattern: $1)) }
    }
}

/// Sizes of protobuf's variable-length numbers, seven bits to a byte.
private enum Varint {
    static func byteCount(of value: UInt64) -> Int {
        Swift.max(1, (UInt64.bitWidth - value.leadingZeroBitCount + 6) / 7)
    }

    /// The bytes of a field of `count` bytes whose number is below 16: its tag, its length and themselves.
    static func fieldByteCount(of count: Int) -> Int { 1 + byteCount(of: UInt64(count)) + count }
}
