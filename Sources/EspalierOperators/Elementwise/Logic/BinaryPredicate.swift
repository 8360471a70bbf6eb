import EspalierTensors

/// An operator that says yes or no about two values, which broadcast to each other. It has no gradient.
package protocol BinaryPredicate: AxisLinking {
    /// Whether it holds of numbers; nil if it is not defined on them.
    func holds<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Bool?
    func holds<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Bool?
    func holds(_ left: Bool, _ right: Bool) -> Bool?
}

extension BinaryPredicate {
    package func holds<Real: ReferenceReal>(_ left: Real, _ right: Real) -> Bool? { nil }
    package func holds<Whole: FixedWidthInteger>(_ left: Whole, _ right: Whole) -> Bool? { nil }
    package func holds(_ left: Bool, _ right: Bool) -> Bool? { nil }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let left = try inputs.required(0)
        let right = try inputs.required(1)
        guard left.dtype == right.dtype else {
            throw .input(1, problem: "is \(right.dtype.rawValue) where input 0 is \(left.dtype.rawValue)")
        }
        let isDefined =
            switch left.dtype {
            case .bool: holds(true, true) != nil
            case _ where left.dtype.isFloatingPoint: holds(0 as Float, 0) != nil
            default: holds(0 as Int64, 0) != nil
            }
        guard isDefined else {
            throw .input(0, problem: "is \(left.dtype.rawValue), for which the operator is not defined")
        }
        guard let shape = left.shape.broadcast(with: right.shape) else {
            throw .shapes("\(left.shape) and \(right.shape) do not broadcast to each other")
        }
        return [ValueFacts(dtype: .bool, shape: shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let truth: NDArray<Bool> =
            switch (try call.value(0), try call.value(1)) {
            case (.real(let left), .real(let right)):
                try left.broadcasting(right) { left, right in holds(left, right) ?? false }
            case (.integer(let left), .integer(let right)):
                try left.broadcasting(right) { left, right in holds(left, right) ?? false }
            case (.unsigned(let left), .unsigned(let right)):
                try left.broadcasting(right) { left, right in holds(left, right) ?? false }
            case (.boolean(let left), .boolean(let right)):
                try left.broadcasting(right) { left, right in holds(left, right) ?? false }
            default: throw .unsupported("operands of these types")
            }
        return [.boolean(truth)]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkBroadcast(inputs: 2, signature)
        return links
    }
}
