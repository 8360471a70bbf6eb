import EspalierGraphs
import EspalierTensors

/// Inserts axes of extent 1 at the places named, which count axes of the output.
package struct Unsqueeze: ReshapingOperator {
    package static let schemas = [OperatorSchema("Unsqueeze")]

    private let axes: AxesArgument

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        axes = try AxesArgument(attributes, port: 1)
        if attributes.opsetVersion < 13, !attributes.has("axes") { throw .missingAttribute("axes") }
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        // The number of axes to insert is known before their places are.
        let added = try axes.count(inputs)
        let rank = input.shape.rank + added
        guard let inserted = try axes.resolved(inputs, rank: rank) else { throw .missingInput(1) }
        var remaining = input.shape.extents[...]
        let extents = (0..<rank).map { inserted.contains($0) ? 1 : remaining.removeFirst() }
        return [ValueFacts(dtype: input.dtype, shape: Shape(extents))]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let rank = signature.outputShape().rank
        let inserted = axes.resolved(signature, rank: rank) ?? []
        for (position, axis) in (0..<rank).filter({ !inserted.contains($0) }).enumerated() {
            links.link(.input(0, axis: position), .output(0, axis: axis))
        }
        return links
    }
}
