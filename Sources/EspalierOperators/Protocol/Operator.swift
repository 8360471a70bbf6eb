package import EspalierGraphs
package import EspalierTensors

/// One ONNX operator, built from the attributes of one node.
///
/// A new operator is one file with one conforming struct, plus one line in ``Catalog``. The requirements here
/// are what every operator can do; all else (gradients, axis links, fast kernels) is a capability protocol in
/// `Capabilities/` which it may conform to as well: ``AxisLinking``, ``Lowering``, ``Differentiable``,
/// ``PerSampleSquares``, ``Epilogue``, ``EpilogueAccepting``, ``ChannelAffine``, ``ChannelAffineFolding``,
/// ``AffineMapping``, ``LipschitzBounding``.
/// An operator without one is still useful: its axes are frozen, its gradient is refused by name, it runs
/// by its ``reference(_:)``.
package protocol Operator: Sendable {
    /// The ONNX names this struct implements, each with the operator-set versions it covers.
    static var schemas: [OperatorSchema] { get }

    /// Reads and checks the attributes.
    ///
    /// - Throws: ``OperatorError`` if an attribute is missing, of the wrong kind, or asks for something that is
    ///   not supported; the node is then treated as opaque and the reason reported.
    init(_ attributes: AttributeReader) throws(OperatorError)

    /// The types and shapes of the outputs, in the order of the node's outputs. Shapes of inputs are concrete:
    /// symbolic extents were bound before. An output that is known without computing (a `Shape`'s) may carry
    /// its ``ValueFacts/constant``.
    ///
    /// - Throws: ``OperatorError/inputNotConstant(_:)`` if that depends on an operand that is not known in advance, which makes
    ///   the node opaque; another ``OperatorError`` if the inputs do not fit.
    func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts]

    /// The multiply-accumulates of one forward pass; 0 for operators that only move, compare or apply a
    /// function (by the field's convention).
    ///
    /// - Parameter nonzeros: for each input, the number of its nonzero elements if it is a constant with a mask
    ///   or zeros worth counting; nil means dense.
    func multiplyAccumulates(_ signature: Signature, nonzeros: [Int?]) -> Int

    /// The plain, obviously right forward computation: the oracle for kernels, gradients and fusion, and what runs
    /// where there is no kernel. Generic, so that gradients can be checked in `Double`.
    ///
    /// - Throws: ``OperatorError`` for values (not shapes) that make no sense, such as an index out of range.
    func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>]
}

extension Operator {
    package func multiplyAccumulates(_ signature: Signature, nonzeros: [Int?]) -> Int { 0 }
}

/// An ONNX name and the operator-set versions in which the implementing struct understands it.
package struct OperatorSchema: Sendable {
    package let name: OperatorName
    /// Operator-set versions, both ends included.
    package let versions: ClosedRange<Int>

    /// The newest operator set that was read when this was written; later ones are accepted as it.
    package static let newest = 26

    package init(_ type: String, domain: String = "", since first: Int = 1, through last: Int = .max) {
        name = OperatorName(type, domain: domain)
        versions = first...last
    }
}

/// What is known about a value once the graph's inputs have concrete shapes.
package struct ValueFacts: Sendable {
    package var dtype: DType
    package var shape: Shape
    /// The value itself where it does not depend on the graph's inputs.
    package var constant: Tensor?
    /// Whether nodes of the graph compute ``constant`` (from shapes and other constants), so that no tensor of the
    /// graph can be edited to change it.
    package var isDerived = false

    package init(dtype: DType, shape: Shape, constant: Tensor? = nil) {
        self.dtype = dtype
        self.shape = shape
        self.constant = constant
    }

    package init(constant: Tensor) {
        self.init(dtype: constant.dtype, shape: constant.shape, constant: constant)
    }
}

/// The facts of a node's inputs, with checked access.
package struct OperatorInputs: Sendable {
    package let facts: [ValueFacts?]
    /// How many outputs there are up to the last that the node names: those left out behind it are as good as not there.
    package let outputCount: Int
    /// How many outputs the node lists, with those left out: as many parts does a `Split` make.
    package let listedOutputCount: Int

    package init(_ facts: [ValueFacts?], outputCount: Int = 1, listedOutputCount: Int? = nil) {
        self.facts = facts
        self.outputCount = outputCount
        self.listedOutputCount = listedOutputCount ?? outputCount
    }

    package var count: Int { facts.count }

    /// The facts of an optional input; nil when it is left out.
    package subscript(_ port: Int) -> ValueFacts? {
        facts.indices.contains(port) ? facts[port] : nil
    }

    /// The facts of a required input.
    package func required(_ port: Int) throws(OperatorError) -> ValueFacts {
        guard let facts = self[port] else { throw .missingInput(port) }
        return facts
    }

    /// The integers of an input that must be known in advance, such as `Reshape`'s target; nil if left out.
    package func knownIntegers(_ port: Int) throws(OperatorError) -> [Int]? {
        guard let facts = self[port] else { return nil }
        guard let constant = facts.constant else { throw .inputNotConstant(port) }
        return constant.scalars(as: Int64.self).map { Int(truncatingIfNeeded: $0) }
    }
}

/// The facts of all of a node's inputs and outputs.
package struct Signature: Sendable {
    package let inputs: [ValueFacts?]
    package let outputs: [ValueFacts]

    package init(inputs: [ValueFacts?], outputs: [ValueFacts]) {
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The shape of an input that inference has already required to be there; empty if it is not.
    package func inputShape(_ port: Int) -> Shape {
        inputs.indices.contains(port) ? inputs[port]?.shape ?? [] : []
    }

    package func hasInput(_ port: Int) -> Bool {
        inputs.indices.contains(port) && inputs[port] != nil
    }

    /// The value of an input that does not depend on the graph's inputs; nil if it does or is left out.
    package func constant(_ port: Int) -> Tensor? {
        inputs.indices.contains(port) ? inputs[port]?.constant : nil
    }

    package func outputShape(_ port: Int = 0) -> Shape {
        outputs.indices.contains(port) ? outputs[port].shape : []
    }
}
