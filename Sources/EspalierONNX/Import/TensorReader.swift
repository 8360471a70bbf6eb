import EspalierTensors
import Foundation

/// Turns tensor messages into tensors, comparing what they claim with the bytes that are there before anything
/// is allocated.
struct TensorReader: Sendable {
    let external: ExternalDataReader

    /// The tensor that `message` holds.
    ///
    /// - Throws: ``ONNXError``, among others for element types without a ``DType``.
    func read(_ message: TensorProto) throws(ONNXError) -> Tensor {
        guard let dtype = try message.elementType else {
            throw ONNXError(.unsupportedElementType(code: Int(message.dataType)))
        }
        guard !message.hasSegment else {
            throw ONNXError(.invalidStructure("it is a segment of a tensor that is nowhere whole"))
        }
        let shape = try Shape(checking: message.dims)
        if message.dataLocation == .external { return try readExternal(message, shape: shape, dtype: dtype) }
        let typedCount = message.typedElementCount
        guard message.rawData.isEmpty || typedCount == 0 else {
            throw ONNXError(.invalidData("it has raw data and typed data"))
        }
        if typedCount > 0 { return try readTyped(message, shape: shape, dtype: dtype) }
        try checkLength(message.rawData.count, shape: shape, dtype: dtype)
        return Tensor(rawBytes: shape, dtype: dtype) { destination in
            message.rawData.withUnsafeBytes { destination.copyMemory(from: $0) }
        }
    }

    private func checkLength(_ found: Int, shape: Shape, dtype: DType) throws(ONNXError) {
        let expected = shape.count * dtype.byteCount
        guard found == expected else { throw ONNXError(.wrongDataLength(expected: expected, found: found)) }
    }

    private func readExternal(
        _ message: TensorProto, shape: Shape, dtype: DType
    ) throws(ONNXError) -> Tensor {
        let byteCount = shape.count * dtype.byteCount
        try external.check(message.externalData, holds: byteCount)
        // Truth values are made 0 or 1, so they are read at once.
        if dtype != .bool, let storage = try external.mapped(message.externalData, byteCount: byteCount) {
            return Tensor(shape: shape, dtype: dtype, storage: storage)
        }
        var failure: ONNXError?
        let tensor = Tensor(rawBytes: shape, dtype: dtype) { destination in
            do throws(ONNXError) {
                try external.read(message.externalData, into: destination)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return tensor
    }

    /// Reads one of the typed fields; which one holds a type is laid down in the specification.
    private func readTyped(
        _ message: TensorProto, shape: Shape, dtype: DType
    ) throws(ONNXError) -> Tensor {
        func tensor<Stored, Scalar: TensorScalar>(
            _ stored: [Stored], _ convert: (Stored) -> Scalar?
        ) throws(ONNXError) -> Tensor {
            try checkLength(stored.count * dtype.byteCount, shape: shape, dtype: dtype)
            var scalars: [Scalar] = []
            scalars.reserveCapacity(stored.count)
            for value in stored {
                guard let scalar = convert(value) else {
                    throw ONNXError(.invalidData("the element \(value) does not fit \(dtype)"))
                }
                scalars.append(scalar)
            }
            return Tensor(shape: shape, scalars: scalars)
        }
        switch dtype {
        case .float32: return try tensor(message.floatData) { $0 }
        case .float64: return try tensor(message.doubleData) { $0 }
        case .int64: return try tensor(message.int64Data) { $0 }
        case .uint64: return try tensor(message.uint64Data) { $0 }
        case .uint32: return try tensor(message.uint64Data) { UInt32(exactly: $0) }
        case .int32: return try tensor(message.int32Data) { $0 }
        case .int16: return try tensor(message.int32Data) { Int16(exactly: $0) }
        case .uint16: return try tensor(message.int32Data) { UInt16(exactly: $0) }
        case .int8: return try tensor(message.int32Data) { Int8(exactly: $0) }
        case .uint8: return try tensor(message.int32Data) { UInt8(exactly: $0) }
        case .bool: return try tensor(message.int32Data) { $0 != 0 }
        case .float16, .bfloat16:
            // Bit patterns; some writers sign-extend them.
            let bits = try tensor(message.int32Data) {
                UInt16(exactly: $0) ?? Int16(exactly: $0).map(UInt16.init(bitPattern:))
            }
            return Tensor(shape: shape, dtype: dtype) { destination in
                bits.withUnsafeBytes { destination.copyMemory(from: $0) }
            }
        }
    }
}

extension TensorProto {
    /// The number of elements in the typed fields together, of which a valid tensor uses one.
    var typedElementCount: Int {
        floatData.count + doubleData.count + int32Data.count + int64Data.count + uint64Data.count
            + stringData.count
    }
}

extension Shape {
    /// More elements than any tensor has; sizes in bytes and strides below it cannot overflow.
    static let elementLimit = 1 << 40

    /// The shape with these dimensions.
    ///
    /// - Throws: ``ONNXError`` if one is negative or their product, zeros not counted, exceeds `elementLimit`.
    init(checking dimensions: [Int64]) throws(ONNXError) {
        let extents = dimensions.map { Int($0) }
        guard Shape(extents).checkedCount(limit: Self.elementLimit) != nil else {
            throw ONNXError(.invalidShape(dimensions: dimensions))
        }
        self.init(extents)
    }
}

extension Tensor {
    /// A tensor of bytes as a file holds them: little-endian, and for booleans perhaps other than 0 and 1.
    fileprivate init(
        rawBytes shape: Shape, dtype: DType, filledBy fill: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        #if _endian(big)
            #error("ONNX data are little-endian; this needs to swap bytes on a big-endian machine")
        #endif
        self.init(shape: shape, dtype: dtype) { destination in
            fill(destination)
            guard dtype == .bool else { return }
            for position in destination.indices where destination[position] != 0 {
                destination[position] = 1
            }
        }
    }
}
