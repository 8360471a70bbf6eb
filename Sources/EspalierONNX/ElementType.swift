package import EspalierTensors

extension DType {
    /// The type that ONNX numbers `code`, or nil for one that is not computed with here.
    package init?(onnxCode code: Int32) {
        switch TensorProto.DataType(rawValue: Int(code)) {
        case .float: self = .float32
        case .double: self = .float64
        case .float16: self = .float16
        case .bfloat16: self = .bfloat16
        case .int8: self = .int8
        case .int16: self = .int16
        case .int32: self = .int32
        case .int64: self = .int64
        case .uint8: self = .uint8
        case .uint16: self = .uint16
        case .uint32: self = .uint32
        case .uint64: self = .uint64
        case .bool: self = .bool
        default: return nil
        }
    }

    /// The type's number in ONNX.
    package var onnxCode: Int32 {
        let type: TensorProto.DataType =
            switch self {
            case .float32: .float
            case .float64: .double
            case .float16: .float16
            case .bfloat16: .bfloat16
            case .int8: .int8
            case .int16: .int16
            case .int32: .int32
            case .int64: .int64
            case .uint8: .uint8
            case .uint16: .uint16
            case .uint32: .uint32
            case .uint64: .uint64
            case .bool: .bool
            }
        return Int32(type.rawValue)
    }
}

extension TensorProto {
    /// The element type, or nil where the tensor can only be carried along.
    ///
    /// - Throws: ``ONNXError`` if the file gives no type at all.
    var elementType: DType? {
        get throws(ONNXError) {
            guard dataType > 0 else { throw ONNXError(.unsupportedElementType(code: Int(dataType))) }
            return DType(onnxCode: dataType)
        }
    }
}
