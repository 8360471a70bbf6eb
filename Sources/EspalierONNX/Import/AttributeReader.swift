import EspalierGraphs
import EspalierTensors

extension TensorReader {
    /// The value of an attribute: typed where this software computes with the kind, its bytes otherwise.
    func read(_ message: AttributeProto) throws(ONNXError) -> Attribute {
        // A reference stands for an attribute of the function around it, which has no value yet.
        guard !message.hasRefAttrName else { return try opaque(message) }
        switch message.effectiveType {
        case .int: return .int(message.i)
        case .float: return .float(message.f)
        case .string: return .string([UInt8](message.s))
        case .ints: return .ints(message.ints)
        case .floats: return .floats(message.floats)
        case .strings: return .strings(message.strings.map { [UInt8]($0) })
        case .tensor:
            guard message.hasT else {
                throw ONNXError(.invalidStructure("it is said to be a tensor but holds none"))
            }
            guard try message.t.elementType != nil else { return try opaque(message) }
            return .tensor(try read(message.t))
        case .graph, .graphs, .tensors, .sparseTensor, .sparseTensors, .typeProto, .typeProtos, .undefined:
            return try opaque(message)
        }
    }

    private func opaque(_ message: AttributeProto) throws(ONNXError) -> Attribute {
        var message = message
        try external.inline(&message)
        return .opaque(try encode(message))
    }
}

extension AttributeProto {
    /// The declared kind or, in files from before there was a declaration, that of the field which is set.
    fileprivate var effectiveType: AttributeType {
        if hasType && type != .undefined { return type }
        if hasI { return .int }
        if hasF { return .float }
        if hasS { return .string }
        if hasT { return .tensor }
        if !ints.isEmpty { return .ints }
        if !floats.isEmpty { return .floats }
        if !strings.isEmpty { return .strings }
        return .undefined
    }
}

extension TensorReader {
    /// The tensor that a `Constant` node stands for; nil if the node is no such node, or one of a kind that stays a
    /// node (strings).
    func constant(
        of node: NodeProto, within allowance: inout SparseAllowance
    ) throws(ONNXError) -> Tensor? {
        guard node.opType == "Constant", OperatorName("Constant", domain: node.domain).domain.isEmpty,
            node.input.isEmpty, node.output.count == 1, node.output[0] != "",
            node.attribute.count == 1, let attribute = node.attribute.first
        else { return nil }
        return try locating("attribute '\(attribute.name)'") { () throws(ONNXError) in
            if attribute.name == "sparse_value", attribute.effectiveType == .sparseTensor {
                return try read(attribute.sparseTensor, within: &allowance)
            }
            return switch (attribute.name, try read(attribute)) {
            case ("value", .tensor(let tensor)): tensor
            case ("value_float", .float(let scalar)): Tensor(scalar)
            case ("value_int", .int(let scalar)): Tensor(scalar)
            case ("value_floats", .floats(let scalars)): Tensor(shape: [scalars.count], scalars: scalars)
            case ("value_ints", .ints(let scalars)): Tensor(shape: [scalars.count], scalars: scalars)
            default: nil
            }
        }
    }
}
