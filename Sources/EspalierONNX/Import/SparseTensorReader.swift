import EspalierTensors

extension TensorReader {
    /// The dense tensor that `message` stores sparsely, or nil if its element type can only be carried along.
    ///
    /// Both of the specification's forms of indices are read: positions in the row-major order of the elements, of the
    /// shape `[count]`, and coordinates, `[count, rank]`; int64, ascending and without duplicates.
    ///
    /// - Parameter allowance: what the file's sparse tensors may still take, from which this one's share is taken.
    /// - Throws: ``ONNXError``.
    func read(
        _ message: SparseTensorProto, within allowance: inout SparseAllowance
    ) throws(ONNXError) -> Tensor? {
        let dtype = try locating("values") { () throws(ONNXError) in try message.values.elementType }
        guard let dtype else { return nil }
        let shape = try Shape(checking: message.dims)
        let values = try locating("values") { () throws(ONNXError) in
            let values = try read(message.values)
            guard values.shape.rank == 1 else {
                throw ONNXError(.invalidStructure("they have \(values.shape.rank) axes, and must have one"))
            }
            return values
        }
        let positions = try locating("indices") { () throws(ONNXError) in
            try self.positions(of: values.count, in: shape, from: message)
        }
        let byteCount = shape.count * dtype.byteCount
        guard allowance.admits(byteCount: byteCount, valueByteCount: values.byteCount) else {
            throw ONNXError(
                .excessiveExpansion(byteCount: byteCount, storedByteCount: values.byteCount))
        }
        return Tensor(shape: shape, dtype: dtype) { destination in
            let size = dtype.byteCount
            values.withUnsafeBytes { source in
                for (entry, position) in positions.enumerated() {
                    let element = UnsafeRawBufferPointer(rebasing: source[entry * size..<(entry + 1) * size])
                    UnsafeMutableRawBufferPointer(
                        rebasing: destination[position * size..<(position + 1) * size]
                    ).copyMemory(from: element)
                }
            }
        }
    }

    /// The row-major positions of a sparse tensor's values, checked.
    private func positions(
        of count: Int, in shape: Shape, from message: SparseTensorProto
    ) throws(ONNXError) -> [Int] {
        // Without values, there is nothing for them to say.
        if !message.hasIndices && count == 0 { return [] }
        let type = message.indices.dataType
        guard type == DType.int64.onnxCode else {
            throw ONNXError(
                .invalidStructure(
                    "they are of element type \(type), and must be int64 (\(DType.int64.onnxCode))"))
        }
        let indices = try read(message.indices)
        // Positions are coordinates in a tensor of one axis.
        let extents: [Int]
        switch indices.shape.extents {
        case [count]: extents = [shape.count]
        case [count, shape.rank]: extents = shape.extents
        default:
            throw ONNXError(
                .invalidStructure(
                    "their shape is \(indices.shape.extents), and must be [\(count)] or [\(count), \(shape.rank)]"
                ))
        }
        let coordinates = indices.scalars(as: Int64.self)
        var positions: [Int] = []
        positions.reserveCapacity(count)
        for entry in 0..<count {
            var position = 0
            for (axis, extent) in extents.enumerated() {
                let coordinate = coordinates[entry * extents.count + axis]
                guard coordinate >= 0, coordinate < extent else {
                    throw ONNXError(
                        .invalidData("index \(coordinate) of value \(entry) is not from 0 to \(extent - 1)"))
                }
                position = position * extent + Int(coordinate)
            }
            if let last = positions.last, position <= last {
                throw ONNXError(
                    .invalidData(
                        "value \(entry) is at position \(position), which does not follow \(last): they must ascend"
                    ))
            }
            positions.append(position)
        }
        return positions
    }
}
