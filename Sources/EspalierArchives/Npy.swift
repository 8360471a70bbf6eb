package import EspalierTensors

/// NumPy's format for one array.
package enum Npy {
    /// The tensor in the `.npy` file at `path`; as ``decode(_:place:)``.
    package static func read(_ path: String) throws(ArchiveError) -> Tensor {
        try decode(FileBytes.read(path)[...], place: path)
    }

    /// The tensor that `bytes`, a whole `.npy` file, hold, in row-major order whatever order they are in.
    ///
    /// - Throws: ``ArchiveError`` `malformed` if header and size of the data disagree (checked before any memory
    ///   is allocated); `unsupported` for element types other than booleans, integers and floating-point numbers
    ///   of up to 64 bits.
    package static func decode(_ bytes: ArraySlice<UInt8>, place: String) throws(ArchiveError) -> Tensor {
        let (header, start) = try NpyHeader.read(bytes, place: place)
        let (dtype, isBigEndian) = try elementType(header.typeString, place: place)
        let shape = Shape(header.shape)
        let available = bytes.endIndex - start
        let checked = shape.checkedCount()
        // An extent of zero lets the others claim anything; nothing that size is worth having.
        guard checked != nil || !shape.extents.contains(0) else {
            throw ArchiveError(
                .unsupported, place,
                "an array without elements whose other extents are absurd: shape \(shape)")
        }
        guard let count = checked, count * dtype.byteCount == available else {
            throw ArchiveError(
                .malformed, place, "\(available) bytes of data do not fit a \(dtype) array of shape \(shape)")
        }
        guard shape.rank <= 64 else { throw ArchiveError(.unsupported, place, "\(shape.rank) axes") }
        return Tensor(shape: shape, dtype: dtype) { target in
            bytes[start...].withUnsafeBytes { source in
                if header.isFortranOrder && shape.rank > 1 {
                    transpose(source, into: target, shape: shape, elementSize: dtype.byteCount)
                } else {
                    target.copyMemory(from: source)
                }
            }
            if isBigEndian { reverseBytes(target, elementSize: dtype.byteCount) }
            // Swift's Bool, unlike NumPy's, is undefined for bytes other than 0 and 1.
            if dtype == .bool { for index in target.indices where target[index] > 1 { target[index] = 1 } }
        }
    }

    /// `tensor` as an `.npy` file. NumPy has no `bfloat16`: such a tensor is written as `float32`, which holds
    /// its values exactly.
    package static func encode(_ tensor: Tensor) -> [UInt8] {
        let stored = tensor.dtype == .bfloat16 ? tensor.converted(to: .float32) : tensor
        let header = NpyHeader(
            typeString: typeString(stored.dtype), isFortranOrder: false, shape: stored.shape.extents)
        return stored.withUnsafeBytes { header.encoded + Array($0) }
    }

    private static func typeString(_ dtype: DType) -> String {
        switch dtype {
        case .bool: "|b1"
        case .int8: "|i1"
        case .uint8: "|u1"
        case .int16, .int32, .int64: "<i\(dtype.byteCount)"
        case .uint16, .uint32, .uint64: "<u\(dtype.byteCount)"
        case .float16, .bfloat16, .float32, .float64: "<f\(dtype.byteCount)"
        }
    }

    private static func elementType(
        _ typeString: String, place: String
    ) throws(ArchiveError) -> (dtype: DType, isBigEndian: Bool) {
        let order = typeString.first
        let wanted = typeString.dropFirst()
        let known = DType.allCases.first { $0 != .bfloat16 && Self.typeString($0).dropFirst() == wanted }
        guard let known, let order, "<>=|".contains(order) else {
            let hint =
                wanted.hasPrefix("O")
                ? " (Python objects)" : wanted.hasPrefix("c") ? " (complex numbers)" : ""
            throw ArchiveError(
                .unsupported, place,
                "element type '\(typeString)'\(hint); convert to a boolean, integer or float type first")
        }
        return (known, order == ">")
    }

    /// Copies elements whose first index varies fastest to where the last one does.
    private static func transpose(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, shape: Shape,
        elementSize: Int
    ) {
        guard let from = source.baseAddress, let to = target.baseAddress, shape.count > 0 else { return }
        var strides = [Int](repeating: 1, count: shape.rank)
        for axis in 1..<shape.rank { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        var index = [Int](repeating: 0, count: shape.rank)
        var offset = 0
        for element in 0..<shape.count {
            (to + element * elementSize).copyMemory(from: from + offset * elementSize, byteCount: elementSize)
            var axis = shape.rank - 1
            while axis >= 0 {
                index[axis] += 1
                offset += strides[axis]
                if index[axis] < shape[axis] { break }
                offset -= strides[axis] * shape[axis]
                index[axis] = 0
                axis -= 1
            }
        }
    }

    private static func reverseBytes(_ bytes: UnsafeMutableRawBufferPointer, elementSize: Int) {
        for start in stride(from: 0, to: bytes.count, by: elementSize) {
            bytes[start..<(start + elementSize)].reverse()
        }
    }
}
