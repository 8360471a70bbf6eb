import EspalierGraphs
import EspalierTensors

/// A tensor of the shape that its input gives, filled with one value.
package struct ConstantOfShape: AxisLinking {
    package static let schemas = [OperatorSchema("ConstantOfShape", since: 9)]

    private let value: Tensor

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        value = try attributes.tensor("value") ?? Tensor(Float(0))
        guard value.count == 1 else {
            throw .attribute("value", problem: "has \(value.count) elements, not 1")
        }
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        guard let extents = try inputs.knownIntegers(0) else { throw .missingInput(0) }
        let shape = Shape(extents)
        _ = try shape.requireCount()
        return [ValueFacts(dtype: value.dtype, shape: shape)]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        guard let extents = try call.integers(0) else { throw .missingInput(0) }
        let shape = Shape(extents)
        let positions = [Int](repeating: 0, count: try shape.requireCount())
        return [ReferenceValue<Real>(value).gathered(positions, shape: shape)]
    }

    /// All elements are equal, so any axis may be cut by asking for a smaller one.
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        guard signature.inputs.first??.isDerived == false else { return links }
        links.free = (0..<signature.outputShape().rank).map { .output(0, axis: $0) }
        return links
    }

    package func resized(by cut: AxisCut, signature: Signature) throws(OperatorError) -> NodeEdits {
        let shape = signature.outputShape()
        let extents = (0..<shape.rank).map { Int64(cut.extent(.output(0, axis: $0), of: shape)) }
        var edits = NodeEdits()
        if extents != shape.extents.map({ Int64($0) }) {
            edits.constants[0] = Tensor(shape: [extents.count], scalars: extents)
        }
        return edits
    }
}
