package import EspalierGraphs
package import EspalierTensors

/// Typed access to a node's attributes.
package struct AttributeReader: Sendable {
    package let node: Node
    /// The version of the operator set the node's operator belongs to.
    package let opsetVersion: Int

    package init(_ node: Node, opsetVersion: Int) {
        self.node = node
        self.opsetVersion = opsetVersion
    }

    package func has(_ name: String) -> Bool { node.attributes[name] != nil }

    package func int(_ name: String) throws(OperatorError) -> Int? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .int(let value) = attribute else { throw .attribute(name, problem: "expected an integer") }
        return Int(truncatingIfNeeded: value)
    }

    package func int(_ name: String, default fallback: Int) throws(OperatorError) -> Int {
        try int(name) ?? fallback
    }

    package func bool(_ name: String, default fallback: Bool) throws(OperatorError) -> Bool {
        try int(name).map { $0 != 0 } ?? fallback
    }

    package func float(_ name: String) throws(OperatorError) -> Float? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .float(let value) = attribute else { throw .attribute(name, problem: "expected a number") }
        return value
    }

    package func float(_ name: String, default fallback: Float) throws(OperatorError) -> Float {
        try float(name) ?? fallback
    }

    package func ints(_ name: String) throws(OperatorError) -> [Int]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .ints(let values) = attribute else { throw .attribute(name, problem: "expected integers") }
        return values.map { Int(truncatingIfNeeded: $0) }
    }

    package func floats(_ name: String) throws(OperatorError) -> [Float]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .floats(let values) = attribute else {
            throw .attribute(name, problem: "expected numbers")
        }
        return values
    }

    package func string(_ name: String, default fallback: String) throws(OperatorError) -> String {
        guard let attribute = node.attributes[name] else { return fallback }
        guard case .string(let bytes) = attribute else {
            throw .attribute(name, problem: "expected a string")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    package func tensor(_ name: String) throws(OperatorError) -> Tensor? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .tensor(let tensor) = attribute else {
            throw .attribute(name, problem: "expected a tensor")
        }
        return tensor
    }
}
