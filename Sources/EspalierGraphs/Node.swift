/// Names a value (an edge) of one graph; stable under edits of that graph.
public struct ValueID: Hashable, Comparable, Sendable {
    package let index: Int

    package init(index: Int) {
        self.index = index
    }

    public static func < (left: ValueID, right: ValueID) -> Bool { left.index < right.index }
}

/// Names a node of one graph; stable under edits of that graph.
public struct NodeID: Hashable, Comparable, Sendable {
    package let index: Int

    package init(index: Int) {
        self.index = index
    }

    public static func < (left: NodeID, right: NodeID) -> Bool { left.index < right.index }
}

/// What a node computes, by its ONNX name: the domain, "" for the standard one, and the operator type.
public struct OperatorName: Hashable, Sendable, CustomStringConvertible {
    public var domain: String
    public var type: String

    public init(_ type: String, domain: String = "") {
        // The standard domain has two spellings.
        self.domain = domain == "ai.onnx" ? "" : domain
        self.type = type
    }

    public var description: String { domain.isEmpty ? type : "\(domain)::\(type)" }
}

/// One application of an operator.
public struct Node: Sendable, Identifiable {
    public let id: NodeID
    /// As in the file: may be empty, or another node's too.
    public var name: String
    /// What it computes.
    public var operatorName: OperatorName
    /// The values read, by position; nil where an optional input is left out.
    public var inputs: [ValueID?]
    /// The values produced, by position; nil where an optional output is left out.
    public var outputs: [ValueID?]
    /// By name; those that are left out have the operator's defaults.
    public var attributes: [String: Attribute]
    /// Values of this graph that subgraphs among the attributes read by name. They are used as much as inputs are.
    public var capturedValues: [ValueID]
    /// The `doc_string`.
    public var documentation: String
    /// Fields of the imported message that this version of the software does not know, in wire format.
    package var unknownFields: [UInt8]

    public init(
        id: NodeID, name: String, operatorName: OperatorName, inputs: [ValueID?], outputs: [ValueID?],
        attributes: [String: Attribute] = [:], capturedValues: [ValueID] = [], documentation: String = ""
    ) {
        self.id = id
        self.name = name
        self.operatorName = operatorName
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.capturedValues = capturedValues
        self.documentation = documentation
        unknownFields = []
    }

    /// Every value this node depends on.
    public var dependencies: [ValueID] { inputs.compactMap { $0 } + capturedValues }

    /// The name, or where the file gave none, the operator and the node's number: how messages refer to it.
    public var label: String { name.isEmpty ? "\(operatorName)#\(id.index)" : name }
}
