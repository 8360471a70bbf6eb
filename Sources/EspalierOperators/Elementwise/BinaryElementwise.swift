package import EspalierTensors

/// An operator that applies one function of two numbers to its inputs, which broadcast to each other.
///
/// Conforming types give the function for real and for whole numbers and its two derivatives.
package protocol BinaryElementwise: AxisLinking, Differentiable, Lowering {
    func value<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real
    /// - Throws: ``OperatorError`` where there is no value, as for a division by zero.
    func value<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) throws(OperatorError) -> Whole

    func leftDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real
    func rightDerivative<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real
    /// Which of the two operands the derivatives depend on; the other need not be kept for the backward pass.
    var leftDerivativeReads: BinaryOperands { get }
    var rightDerivativeReads: BinaryOperands { get }

    /// The output's type for inputs of the given types, by default the type that both must have.
    func outputType(_ left: DType, _ right: DType) throws(OperatorError) -> DType

    /// Why the axes of an input must not be cut; nil if they may.
    func reasonToFreeze(_ signature: Signature) -> String?
}

/// The operands of a function of two numbers.
package struct BinaryOperands: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let left = BinaryOperands(rawValue: 1)
    package static let right = BinaryOperands(rawValue: 2)
    package static let both: BinaryOperands = [.left, .right]
}

extension BinaryElementwise {
    package var leftDerivativeReads: BinaryOperands { .both }
    package var rightDerivativeReads: BinaryOperands { .both }
    package func reasonToFreeze(_ signature: Signature) -> String? { nil }

    package func outputType(_ left: DType, _ right: DType) throws(OperatorError) -> DType {
        guard left != .bool else { throw .input(0, problem: "is bool, with which one cannot calculate") }
        guard left == right else {
            throw .input(1, problem: "is \(right.rawValue) where input 0 is \(left.rawValue)")
        }
        return left
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let left = try inputs.required(0)
        let right = try inputs.required(1)
        guard let shape = left.shape.broadcast(with: right.shape) else {
            throw .shapes("\(left.shape) and \(right.shape) do not broadcast to each other")
        }
        return [ValueFacts(dtype: try outputType(left.dtype, right.dtype), shape: shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        switch (try call.value(0), try call.value(1)) {
        case (.integer(let left), .integer(let right)):
            return [
                .integer(
                    try left.broadcasting(right) { left, right throws(OperatorError) in
                        try value(left, right)
                    })
            ]
        case (.unsigned(let left), .unsigned(let right)):
            return [
                .unsigned(
                    try left.broadcasting(right) { left, right throws(OperatorError) in
                        try value(left, right)
                    })
            ]
        case (.real(let left), .real(let right)):
            return [.real(try left.broadcasting(right) { left, right in value(left, right) })]
        default: throw .unsupported("operands of these types")
        }
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkBroadcast(inputs: 2, signature)
        if let reason = reasonToFreeze(signature) {
            for axis in 0..<signature.outputShape().rank {
                links.frozen.append((.output(0, axis: axis), reason))
            }
        }
        return links
    }
}

extension NDArray {
    /// `function` of the two arrays broadcast to each other.
    func broadcasting<Other, Result>(
        _ other: NDArray<Other>, _ function: (Element, Other) throws(OperatorError) -> Result
    ) throws(OperatorError) -> NDArray<Result> {
        guard let shape = shape.broadcast(with: other.shape) else {
            throw .shapes("\(self.shape) and \(other.shape) do not broadcast to each other")
        }
        let positions = self.shape.broadcastPositions(in: shape)
        let otherPositions = other.shape.broadcastPositions(in: shape)
        var result: [Result] = []
        result.reserveCapacity(positions.count)
        for (position, otherPosition) in zip(positions, otherPositions) {
            result.append(try function(elements[position], other.elements[otherPosition]))
        }
        return NDArray<Result>(shape: shape, elements: result)
    }
}

extension AxisLinks {
    /// Links the axes of the first `count` inputs to the output they broadcast to. Slices of the parameters among them
    /// shift or scale.
    mutating func linkBroadcast(inputs count: Int, _ signature: Signature) {
        for port in 0..<count where signature.hasInput(port) {
            let shape = signature.inputShape(port)
            linkBroadcast(input: port, shape: shape, output: signature.outputShape())
            guard signature.constant(port) != nil else { continue }
            for axis in 0..<shape.rank { roles[.input(port, axis: axis)] = .affine }
        }
    }
}
