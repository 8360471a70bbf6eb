import EspalierGraphs
import EspalierTensors

/// Reads a tensor as a matrix: the axes before `axis` become the rows, the others the columns.
package struct Flatten: ReshapingOperator {
    package static let schemas = [OperatorSchema("Flatten")]

    private let axis: Int

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        axis = try attributes.int("axis", default: 1)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        _ = try input.shape.requireCount()
        let axis = try input.shape.requireAxis(axis, below: input.shape.rank + 1)
        let rows = try Shape(Array(input.shape.extents[..<axis])).requireCount()
        let columns = try Shape(Array(input.shape.extents[axis...])).requireCount()
        return [ValueFacts(dtype: input.dtype, shape: [rows, columns])]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        AxisMatching(signature.inputShape(0), signature.outputShape()).links
    }
}
