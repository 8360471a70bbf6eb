import EspalierTensors

/// An operator that applies one real function to every element of its only input.
///
/// Conforming types give the function and its derivative; everything else follows. Where a library has the
/// function, ``function`` names it, and kernels use it; declaring ``Epilogue`` as well makes it fusible.
package protocol UnaryElementwise: AxisLinking, Differentiable, Lowering {
    func value<Real: ReferenceReal>(_ x: Real) -> Real

    /// ``value(_:)`` of elements that follow each other; the arrays may be the same.
    func values(_ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, count: Int)

    /// The derivative, as a function of the input, or if ``derivativeTakesOutput`` of the output. At a kink it is that
    /// of one of the sides.
    func derivative<Real: ReferenceReal>(_ argument: Real) -> Real

    /// `gradient` times ``derivative(_:)`` of elements that follow each other; the arrays may be the same.
    func gradients(
        _ argument: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>, count: Int)

    /// Whether ``derivative(_:)`` is given the output instead of the input. Then a network being trained need not keep
    /// the input, and the function may run in place.
    var derivativeTakesOutput: Bool { get }

    /// The same function as a fusible step, or nil if there is none.
    var function: EpilogueStep? { get }
}

/// A unary operator that is defined on integers too.
package protocol IntegerElementwise: UnaryElementwise {
    func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole
}

extension UnaryElementwise {
    package func values(
        _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, count: Int
    ) {
        for index in 0..<count { output[index] = value(input[index]) }
    }

    package func gradients(
        _ argument: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        for index in 0..<count { result[index] = gradient[index] * derivative(argument[index]) }
    }

    package var derivativeTakesOutput: Bool { false }
    package var function: EpilogueStep? { nil }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype.isFloatingPoint || (self is any IntegerElementwise && input.dtype != .bool) else {
            throw .input(0, problem: "is \(input.dtype.rawValue), for which the operator is not defined")
        }
        return [ValueFacts(dtype: input.dtype, shape: input.shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        if let operation = self as? any IntegerElementwise {
            switch try call.value(0) {
            case .integer(let input): return [.integer(input.map { operation.value($0) })]
            case .unsigned(let input): return [.unsigned(input.map { operation.value($0) })]
            case .real, .boolean: break
            }
        }
        return [.real(try call.real(0).map { value($0) })]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkElementwise(
            signature.inputShape(0).rank,
            unless: value(0 as Double).isFinite
                ? nil : "it would be infinite where a mask makes its input zero")
        return links
    }
}

extension Epilogue where Self: UnaryElementwise {
    package func epilogueStep(_ signature: Signature) -> EpilogueStep? {
        signature.inputs.first??.dtype == .float32 ? function : nil
    }
}

extension AxisLinks {
    /// Links every axis of input 0 to the same axis of output 0, or for a reason given freezes them.
    mutating func linkElementwise(_ rank: Int, unless reason: String? = nil) {
        for axis in 0..<rank {
            link(.input(0, axis: axis), .output(0, axis: axis))
            if let reason { frozen.append((.input(0, axis: axis), reason)) }
        }
    }
}
