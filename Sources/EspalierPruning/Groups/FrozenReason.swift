/// Why channels may not be cut. Receipts and `inspect` show it.
package struct FrozenReason: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
        case graphInput, graphOutput, opaqueNode, noAxisLinks, unlinkedAxis, declared, measured, singleIndex,
            tooLarge
    }

    package let kind: Kind
    /// One sentence without a full stop, naming the node or value.
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

extension FrozenReason: CustomStringConvertible {
    package var description: String { message }
}
