import EspalierGraphs
import EspalierTensors
import Foundation

extension Graph {
    /// The name of a value, which an empty one would make an input that is left out.
    func writableName(of id: ValueID) throws(ONNXError) -> String {
        guard let name = values[id]?.name, !name.isEmpty else {
            throw ONNXError(.invalidStructure("value \(id.index) has no name"))
        }
        return name
    }

    /// The message for a constant with all but shape, type and elements.
    func initializerHeader(of id: ValueID) throws(ONNXError) -> TensorProto {
        let value = values[id]
        var message = try decode(TensorProto.self, from: value?.unknownTensorFields ?? [])
        message.name = try writableName(of: id)
        if let documentation = value?.documentation, !documentation.isEmpty {
            message.docString = documentation
        }
        return message
    }
}

extension TensorProto {
    mutating func fillHeader(of tensor: Tensor) {
        dims = tensor.shape.extents.map { Int64($0) }
        dataType = tensor.dtype.onnxCode
    }

    mutating func fill(from tensor: Tensor) {
        fillHeader(of: tensor)
        rawData = tensor.withUnsafeBytes { Data($0) }
    }
}

extension SparseTensorProto {
    /// `tensor` by its elements other than zero and their positions, named and documented as `header`; nil where that
    /// cannot take fewer bytes than all elements do.
    ///
    /// Zero is what has no bit set. A negative zero is stored, so that nothing changes on the way through a file.
    init?(storing tensor: Tensor, header: TensorProto) {
        // The specification demands an axis and elements.
        guard tensor.shape.rank > 0, tensor.count > 0, let positions = Self.positionsToStore(tensor) else {
            return nil
        }
        let size = tensor.dtype.byteCount
        var elements = Data(capacity: positions.count * size)
        tensor.withUnsafeBytes { bytes in
            for position in positions {
                elements.append(contentsOf: bytes[Int(position) * size..<(Int(position) + 1) * size])
            }
        }
        self.init()
        dims = tensor.shape.extents.map { Int64($0) }
        values = header
        values.dims = [Int64(positions.count)]
        values.dataType = tensor.dtype.onnxCode
        values.rawData = elements
        // There must be indices even where there are no values: ONNX Runtime refuses the file otherwise. As variable-length
        // numbers they take one to five bytes each, and eight as raw data.
        indices.dims = [Int64(positions.count)]
        indices.dataType = DType.int64.onnxCode
        indices.int64Data = positions
    }

    /// The row-major positions of the elements with a bit set; nil once there are so many that, with a byte for each
    /// position, they take as much as all elements.
    private static func positionsToStore(_ tensor: Tensor) -> [Int64]? {
        let limit = tensor.byteCount / (tensor.dtype.byteCount + 1)
        func search<Word: FixedWidthInteger & BitwiseCopyable>(_: Word.Type) -> [Int64]? {
            tensor.withUnsafeBytes { bytes in
                var positions: [Int64] = []
                for (position, word) in bytes.bindMemory(to: Word.self).enumerated() where word != 0 {
                    guard positions.count < limit else { return nil }
                    positions.append(Int64(position))
                }
                return positions
            }
        }
        return switch tensor.dtype.byteCount {
        case 1: search(UInt8.self)
        case 2: search(UInt16.self)
        case 4: search(UInt32.self)
        default: search(UInt64.self)
        }
    }
}
