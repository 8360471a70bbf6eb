import EspalierTensors

/// An operator that joins any number of inputs, which broadcast to each other, two at a time.
package protocol VariadicElementwise: AxisLinking, Differentiable, Lowering {
    func combine<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Real
    func combine<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Whole
    var isDefinedOnIntegers: Bool { get }
    /// What the joined value is multiplied by at the end.
    func finalScale(inputCount: Int) -> Double

    /// Whether the gradient goes to the input whose element became the output's, the first of equal ones; otherwise it
    /// goes to all.
    var picksOne: Bool { get }
}

extension VariadicElementwise {
    package var isDefinedOnIntegers: Bool { true }
    package func finalScale(inputCount: Int) -> Double { 1 }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let first = try inputs.required(0)
        guard first.dtype.isFloatingPoint || (isDefinedOnIntegers && first.dtype != .bool) else {
            throw .input(0, problem: "is \(first.dtype.rawValue), for which the operator is not defined")
        }
        var shape = first.shape
        for port in 1..<max(1, inputs.count) {
            let next = try inputs.required(port)
            guard next.dtype == first.dtype else {
                throw .input(
                    port, problem: "is \(next.dtype.rawValue) where input 0 is \(first.dtype.rawValue)")
            }
            guard let joined = shape.broadcast(with: next.shape) else {
                throw .input(port, problem: "\(next.shape) and \(shape) do not broadcast to each other")
            }
            shape = joined
        }
        return [ValueFacts(dtype: first.dtype, shape: shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        if case .integer(var result) = try call.value(0) {
            for port in 1..<max(1, call.inputs.count) {
                result = try result.broadcasting(try call.integer(port)) { combine($0, $1) }
            }
            return [.integer(result)]
        }
        if case .unsigned(var result) = try call.value(0) {
            for port in 1..<max(1, call.inputs.count) {
                result = try result.broadcasting(try call.unsigned(port)) { combine($0, $1) }
            }
            return [.unsigned(result)]
        }
        var result = try call.real(0)
        for port in 1..<max(1, call.inputs.count) {
            result = try result.broadcasting(try call.real(port)) { combine($0, $1) }
        }
        let scale = Real(finalScale(inputCount: call.inputs.count))
        return [.real(scale == 1 ? result : result.map { $0 * scale })]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkBroadcast(inputs: signature.inputs.count, signature)
        return links
    }
}
