import EspalierTensors

extension Graph {
    /// A hash of what the network computes: its nodes with their attributes, how they are wired, and all constants, by name. Tells
    /// networks apart whose results must not be taken for one another's.
    package var fingerprint: UInt64 {
        var hash = FNV1a()
        addStructure(to: &hash)
        add(constants.keys, to: &hash)
        return hash.value
    }

    /// A number for the network's structure: its nodes with their attributes, how they are wired, its constants' names, types
    /// and shapes, and the values of those that are no floating-point numbers, such as the target of a reshape. Weights do not
    /// count, so a plan outlives training.
    package var structuralFingerprint: String {
        var hash = FNV1a()
        addStructure(to: &hash)
        let described = constants.map { "\(name(of: $0.key)) \($0.value.dtype.rawValue) \($0.value.shape)" }
        for constant in described.sorted() { hash.add(constant) }
        add(constants.filter { !$0.value.dtype.isFloatingPoint }.keys, to: &hash)
        return hash.text
    }

    /// A hash of all parameters with their names: tells networks of other weights apart.
    package var parameterFingerprint: UInt64 {
        var hash = FNV1a()
        add(parameters, to: &hash)
        return hash.value
    }

    private func addStructure(to hash: inout FNV1a) {
        for input in inputs { hash.add(name(of: input)) }
        for node in nodes {
            hash.add(node.operatorName.description)
            for value in node.inputs + node.outputs { hash.add(value.map { name(of: $0) } ?? "") }
            for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
                hash.add(name)
                hash.add(attribute)
            }
        }
        for output in outputs { hash.add(name(of: output)) }
    }

    /// In the names' order.
    private func add(_ ids: some Sequence<ValueID>, to hash: inout FNV1a) {
        for id in ids.sorted(by: { name(of: $0) < name(of: $1) }) {
            hash.add(name(of: id))
            if let tensor = constants[id] { hash.add(tensor) }
        }
    }
}

extension FNV1a {
    fileprivate mutating func add(_ attribute: Attribute) {
        switch attribute {
        case .tensor(let tensor): add(tensor)
        case .string(let bytes), .opaque(let bytes): bytes.withUnsafeBytes { add($0) }
        case .int, .float, .ints, .floats, .strings: add("\(attribute)")
        }
    }
}
