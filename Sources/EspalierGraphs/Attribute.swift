public import EspalierTensors

/// The value of one attribute of a node.
public enum Attribute: Sendable {
    case int(Int64)
    case float(Float)
    /// ONNX strings are bytes; names and modes among them are UTF-8.
    case string([UInt8])
    case tensor(Tensor)
    case ints([Int64])
    case floats([Float])
    case strings([[UInt8]])
    /// Anything else (subgraphs, sparse tensors, types): the serialised `AttributeProto`, kept whole.
    case opaque([UInt8])

    /// A string attribute from text.
    public static func text(_ text: String) -> Attribute {
        .string(Array(text.utf8))
    }
}
