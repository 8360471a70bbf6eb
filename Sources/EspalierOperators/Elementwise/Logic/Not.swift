import EspalierTensors

/// The opposite of each truth value.
package struct Not: AxisLinking {
    package static let schemas = [OperatorSchema("Not")]

    package init(_ attributes: AttributeReader) {}

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype == .bool else { throw .input(0, problem: "is \(input.dtype.rawValue), not bool") }
        return [ValueFacts(dtype: .bool, shape: input.shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        [.boolean(try call.boolean(0).map { !$0 })]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        links.linkElementwise(signature.inputShape(0).rank)
        return links
    }
}
