public import EspalierTensors

/// One extent of a declared type.
public enum Dimension: Hashable, Sendable {
    case fixed(Int)
    /// A symbolic extent such as the batch size "N": equal names are equal extents.
    case symbolic(String)
    case unknown
}

/// What a file declares about a value.
public struct ValueType: Hashable, Sendable {
    /// The type of its elements.
    public var dtype: DType
    /// nil where not even the rank is declared.
    public var dimensions: [Dimension]?

    public init(dtype: DType, dimensions: [Dimension]?) {
        self.dtype = dtype
        self.dimensions = dimensions
    }

    public init(dtype: DType, shape: Shape) {
        self.init(dtype: dtype, dimensions: shape.extents.map { .fixed($0) })
    }
}

/// An edge of the graph: a graph input, a constant, or what a node produces.
public struct Value: Sendable, Identifiable {
    public let id: ValueID
    /// Unique in its graph.
    public var name: String
    /// As the file declares it; nil if it does not.
    public var type: ValueType?
    /// The serialised `TypeProto` of a value whose declaration says more than `type` can: that it is no tensor of
    /// numbers but a sequence, say (then `type` is nil), or what its axes denote.
    package var opaqueType: [UInt8]?
    package var documentation: String
    /// Fields that this software does not know of the imported declaration and, for a constant, of its tensor.
    package var unknownFields: [UInt8]
    package var unknownTensorFields: [UInt8]

    /// Whether it is declared to be something else than a tensor of numbers that this software knows.
    package var isOpaque: Bool { type == nil && opaqueType != nil }

    public init(id: ValueID, name: String, type: ValueType? = nil) {
        self.id = id
        self.name = name
        self.type = type
        opaqueType = nil
        documentation = ""
        unknownFields = []
        unknownTensorFields = []
    }
}
