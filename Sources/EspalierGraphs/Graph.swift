public import EspalierTensors

/// A neural network as a value: nodes in topological order, the values between them, and constants.
///
/// Mutate it only through ``Patch``es or, while building one, ``GraphBuilder``; both check the invariants:
/// every value has exactly one producer (a graph input, a constant, or one node output), nothing reads a value
/// that does not exist, names are unique, and nodes stand after all they depend on.
public struct Graph: Sendable {
    /// As in the file; means nothing.
    public var name: String
    /// Each after all that it depends on.
    public internal(set) var nodes: [Node]
    /// Inputs, constants and what nodes produce.
    public internal(set) var values: [ValueID: Value]
    /// What a caller gives, in the model's order; no initializers.
    public internal(set) var inputs: [ValueID]
    /// What a caller gets, in the model's order.
    public internal(set) var outputs: [ValueID]
    /// Initializers and `Constant` nodes' tensors: weights and other fixed values.
    public internal(set) var constants: [ValueID: Tensor]
    /// Initializers this software does not compute with (strings, complex numbers), serialised as in the file.
    package internal(set) var opaqueConstants: [ValueID: OpaqueConstant]
    /// Operator set versions by domain; the standard domain is "".
    public var opsetVersions: [String: Int]
    /// The model's `metadata_props`.
    public var metadata: [String: String]
    package var modelInformation: ModelInformation

    package internal(set) var nextValueIndex: Int
    package internal(set) var nextNodeIndex: Int

    /// The version of the operator set that `name` belongs to; 1 where the file names none.
    public func opsetVersion(of name: OperatorName) -> Int {
        opsetVersions[name.domain] ?? 1
    }

    /// The node that produces each value which a node produces.
    public var producers: [ValueID: NodeID] {
        var result: [ValueID: NodeID] = [:]
        for node in nodes {
            for output in node.outputs.compactMap({ $0 }) { result[output] = node.id }
        }
        return result
    }

    /// The nodes that read each value, in topological order, once each.
    public var consumers: [ValueID: [NodeID]] {
        var result: [ValueID: [NodeID]] = [:]
        for node in nodes {
            for value in Set(node.dependencies) { result[value, default: []].append(node.id) }
        }
        return result
    }

    /// Positions in ``nodes`` by identity.
    public var nodePositions: [NodeID: Int] {
        Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1.id, $0) })
    }

    /// The value called `name`, or nil.
    public func value(named name: String) -> Value? {
        values.values.first { $0.name == name }
    }

    /// The name of a value, for messages.
    public func name(of value: ValueID) -> String {
        values[value]?.name ?? "value \(value.index)"
    }

    /// Floating-point constants with at least one axis: what pruning and training may change. Scalars are the constants
    /// of formulas that an exporter wrote out.
    public var parameters: [ValueID] {
        constants.filter { $0.value.dtype.isFloatingPoint && $0.value.shape.rank > 0 }.keys.sorted()
    }
}

/// A constant of a kind that is carried along unread.
package struct OpaqueConstant: Sendable {
    package enum Kind: Sendable { case tensor, sparseTensor }
    package var kind: Kind
    package var bytes: [UInt8]

    package init(kind: Kind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }
}

/// Fields of a model file that concern no computation.
package struct ModelInformation: Sendable {
    package var irVersion: Int
    package var producerName = ""
    package var producerVersion = ""
    package var domain = ""
    package var modelVersion = 0
    package var documentation = ""
    package var graphDocumentation = ""
    /// Fields of the model and graph messages that this version does not know, in wire format (functions,
    /// training information, quantization annotations).
    package var unknownModelFields: [UInt8] = []
    package var unknownGraphFields: [UInt8] = []
    /// Names that subgraphs inside attributes define; a value of the graph called so would be hidden from them.
    package var reservedNames: Set<String> = []

    package init(irVersion: Int) {
        self.irVersion = irVersion
    }
}
