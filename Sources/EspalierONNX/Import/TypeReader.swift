import EspalierGraphs
import EspalierTensors

extension Value {
    /// Takes over what the file declares about this value.
    mutating func adopt(_ message: ValueInfoProto) throws(ONNXError) {
        if message.hasType {
            type = try message.type.valueType
            // The bytes also keep what `type` cannot say: kinds that are no tensor of numbers, denotations.
            opaqueType = type == nil || message.type.saysMoreThanValueType ? try encode(message.type) : nil
        }
        documentation = message.docString
        unknownFields = message.unknownBytes
    }
}

extension TypeProto {
    /// The type if it is a tensor of numbers, else nil.
    ///
    /// Some exporters write -1 for an extent that is not known: a negative extent counts as unknown.
    var valueType: ValueType? {
        get throws(ONNXError) {
            guard hasTensorType, let dtype = DType(onnxCode: tensorType.elemType) else { return nil }
            guard tensorType.hasShape else { return ValueType(dtype: dtype, dimensions: nil) }
            let dimensions = tensorType.shape.dim.map { dimension -> Dimension in
                switch dimension.value {
                case .dimValue(let extent) where extent >= 0: .fixed(Int(extent))
                case .dimParam(let name) where !name.isEmpty: .symbolic(name)
                default: .unknown
                }
            }
            // Later stages multiply declared extents.
            let fixed = tensorType.shape.dim.map(\.dimValue).filter { $0 > 0 }
            _ = try Shape(checking: fixed)
            return ValueType(dtype: dtype, dimensions: dimensions)
        }
    }

    /// Whether anything in it is lost when only the ``ValueType`` is kept.
    var saysMoreThanValueType: Bool {
        !unknownBytes.isEmpty || !tensorType.unknownBytes.isEmpty
            || tensorType.shape.dim.contains { !$0.unknownBytes.isEmpty }
    }
}
