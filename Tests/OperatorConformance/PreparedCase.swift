import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport

/// A case with its operator built, its inputs drawn and its outputs inferred.
///
/// Checks are functions on it that return what is wrong, one line each, so that they can be tried on operators
/// which are wrong on purpose.
struct PreparedCase {
    let source: ConformanceCase
    let operation: any Operator
    /// Drawn from a stream named after the case.
    let inputs: [Tensor?]
    let signature: Signature

    /// - Parameter type: what implements the operator, if not what the catalog says.
    init(_ source: ConformanceCase, type: (any Operator.Type)? = nil) throws(OperatorError) {
        self.source = source
        operation = try Self.makeOperator(source, attributes: source.attributes, type: type)
        let random = RandomSource.named(source.name)
        inputs = source.inputs.enumerated().map { port, input in
            var stream = random.split(port)
            return input?.tensor(seed: stream.next())
        }
        signature = try Self.infer(
            operation, inputs, isConstant: source.inputs.map { $0?.isConstant ?? false },
            outputCount: source.outputCount)
    }

    static func makeOperator(
        _ source: ConformanceCase, attributes: [String: Attribute], type: (any Operator.Type)? = nil
    ) throws(OperatorError) -> any Operator {
        let node = Node.single(
            source.operatorName, inputs: source.inputs.map { $0 != nil }, outputCount: source.outputCount,
            attributes: attributes)
        guard let type else { return try Catalog.resolve(node, opsetVersion: source.opset).get() }
        return try type.init(AttributeReader(node, opsetVersion: source.opset))
    }

    static func infer(
        _ operation: any Operator, _ inputs: [Tensor?], isConstant: [Bool], outputCount: Int
    ) throws(OperatorError) -> Signature {
        let facts = zip(inputs, isConstant).map { tensor, isConstant in
            tensor.map { tensor in
                isConstant
                    ? ValueFacts(constant: tensor) : ValueFacts(dtype: tensor.dtype, shape: tensor.shape)
            }
        }
        let outputs = try operation.inferOutputs(OperatorInputs(facts, outputCount: outputCount))
        return Signature(inputs: facts, outputs: outputs)
    }

    // MARK: Kinds of ports

    func isReal(input port: Int) -> Bool { inputs[port]?.dtype.isFloatingPoint ?? false }
    func isReal(output port: Int) -> Bool { signature.outputs[port].dtype.isFloatingPoint }
    func isConstant(_ port: Int) -> Bool { source.inputs[port]?.isConstant ?? false }

    /// A parameter: a constant of a real type.
    func isParameter(_ port: Int) -> Bool { isConstant(port) && isReal(input: port) }

    var differentiableInputs: [Int] {
        guard let operation = operation as? any Differentiable else { return [] }
        return inputs.indices.filter {
            isReal(input: $0) && operation.hasGradient(input: $0, signature: signature)
        }
    }

    /// Kernels work on `float32` only.
    var isSinglePrecision: Bool {
        inputs.allSatisfy { $0.map { !$0.dtype.isFloatingPoint || $0.dtype == .float32 } ?? true }
            && signature.outputs.allSatisfy { !$0.dtype.isFloatingPoint || $0.dtype == .float32 }
    }

    // MARK: The reference

    func reference<Real: ReferenceReal>(
        _: Real.Type, _ inputs: [ReferenceValue<Real>?]? = nil
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let values = inputs ?? self.inputs.map { $0.map(ReferenceValue.init) }
        return try operation.reference(ReferenceCall(inputs: values, outputs: signature.outputs))
    }

    /// What must come out in `phase`, in `Double`; nil where that is random.
    func expected(
        in phase: Phase, _ inputs: [ReferenceValue<Double>?]? = nil
    ) throws(OperatorError) -> [ReferenceValue<Double>]? {
        guard phase == .training(frozenNormalization: false) else {
            return try reference(Double.self, inputs)
        }
        switch source.training {
        case .asReference: return try reference(Double.self, inputs)
        case .random: return nil
        case .other(let oracle):
            let values = inputs ?? self.inputs.map { $0.map(ReferenceValue.init) }
            return try oracle(ReferenceCall(inputs: values, outputs: signature.outputs))
        }
    }
}

extension Phase {
    static func training(frozenNormalization: Bool) -> Phase {
        .training(frozenNormalization: frozenNormalization, seed: 1)
    }

    static let all: [Phase] = [
        .inference, .training(frozenNormalization: true), .training(frozenNormalization: false),
    ]
}

extension ReferenceValue {
    /// The elements if they are real.
    var realElements: [Real]? {
        if case .real(let array) = self { array.elements } else { nil }
    }
}
