package import EspalierTensors

/// The axes a node works on, which old operator sets give as an attribute and newer ones as an input.
package struct AxesArgument: Sendable {
    /// The axes as the attribute gives them; nil where there is none.
    private let attribute: [Int]?
    /// Where the axes are when they are an input.
    package let port: Int

    /// - Parameter port: the input that newer operator sets give the axes at.
    package init(_ attributes: AttributeReader, port: Int) throws(OperatorError) {
        attribute = try attributes.ints("axes")
        self.port = port
    }

    private func axes(_ inputs: OperatorInputs) throws(OperatorError) -> [Int]? {
        if let attribute { return attribute }
        return try inputs.knownIntegers(port)
    }

    /// How many axes the node names; 0 where it does not say.
    package func count(_ inputs: OperatorInputs) throws(OperatorError) -> Int {
        try axes(inputs)?.count ?? 0
    }

    /// The axes, ascending and counted from the front; nil where the node does not say.
    ///
    /// - Parameters:
    ///   - rank: the number of axes there are to choose from.
    /// - Throws: ``OperatorError`` if one is out of range or named twice, or if they are not known in advance.
    package func resolved(_ inputs: OperatorInputs, rank: Int) throws(OperatorError) -> [Int]? {
        try Self.resolve(axes(inputs), rank: rank)
    }

    /// The axes of a node whose inference has succeeded.
    package func resolved(_ signature: Signature, rank: Int) -> [Int]? {
        (try? resolved(OperatorInputs(signature.inputs), rank: rank)) ?? nil
    }

    /// The axes of one computation.
    package func resolved<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>, rank: Int
    ) throws(OperatorError) -> [Int]? {
        if let attribute { return try Self.resolve(attribute, rank: rank) }
        return try Self.resolve(call.integers(port), rank: rank)
    }

    /// `axes` counted from the front and sorted.
    package static func resolve(_ axes: [Int]?, rank: Int) throws(OperatorError) -> [Int]? {
        guard let axes else { return nil }
        var result: Set<Int> = []
        for axis in axes {
            let normalized = axis < 0 ? axis + rank : axis
            guard (0..<rank).contains(normalized) else {
                throw .shapes("axis \(axis) of a tensor with \(rank) axes")
            }
            guard result.insert(normalized).inserted else { throw .shapes("axis \(axis) is named twice") }
        }
        return result.sorted()
    }
}

extension ReferenceCall {
    /// The integers of an optional input; nil where it is left out.
    package func integers(_ port: Int) throws(OperatorError) -> [Int]? {
        hasInput(port) ? try integer(port).elements.map { Int(truncatingIfNeeded: $0) } : nil
    }
}

extension Shape {
    /// The axis that `axis` names, counted from the front.
    ///
    /// - Parameter limit: one above the largest axis allowed; the rank unless given.
    package func requireAxis(_ axis: Int, below limit: Int? = nil) throws(OperatorError) -> Int {
        let limit = limit ?? rank
        let result = axis < 0 ? axis + rank : axis
        guard (0..<limit).contains(result) else {
            throw .attribute("axis", problem: "\(axis) is out of range for shape \(self)")
        }
        return result
    }

    /// The number of elements of a shape that may come from a file.
    package func requireCount() throws(OperatorError) -> Int {
        guard let count = checkedCount() else { throw .shapes("\(self) is not a possible shape") }
        return count
    }
}
