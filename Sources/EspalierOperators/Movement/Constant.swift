import EspalierGraphs
import EspalierTensors

/// A value fixed in the file. Importing turns most of these into constants of the graph.
package struct Constant: Operator {
    package static let schemas = [OperatorSchema("Constant")]

    private let value: Tensor

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        if let tensor = try attributes.tensor("value") {
            value = tensor
        } else if let scalar = try attributes.float("value_float") {
            value = Tensor(scalar)
        } else if let scalars = try attributes.floats("value_floats") {
            value = Tensor(shape: [scalars.count], scalars: scalars)
        } else if let scalar = try attributes.int("value_int") {
            value = Tensor(Int64(scalar))
        } else if let scalars = try attributes.ints("value_ints") {
            value = Tensor(shape: [scalars.count], scalars: scalars.map { Int64($0) })
        } else {
            throw .unsupported("a constant that is a string, sparse, or nothing at all")
        }
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        [ValueFacts(constant: value)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        [ReferenceValue(value)]
    }
}
