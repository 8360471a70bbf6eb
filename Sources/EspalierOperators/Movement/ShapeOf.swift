import EspalierGraphs
import EspalierTensors

/// ONNX `Shape`: the extents of its input's axes from `start` up to, not including, `end`.
package struct ShapeOf: AxisLinking {
    package static let schemas = [OperatorSchema("Shape")]

    private let start: Int
    private let end: Int?

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        start = try attributes.int("start", default: 0)
        end = try attributes.int("end")
    }

    private func axes(rank: Int) -> Range<Int> {
        func placed(_ bound: Int) -> Int { min(max(bound < 0 ? bound + rank : bound, 0), rank) }
        let first = placed(start)
        return first..<max(first, placed(end ?? rank))
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let shape = try inputs.required(0).shape
        let extents = shape.extents[axes(rank: shape.rank)].map { Int64($0) }
        return [ValueFacts(constant: Tensor(shape: [extents.count], scalars: extents))]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let shape = try call.value(0).shape
        let extents = shape.extents[axes(rank: shape.rank)].map { Int64($0) }
        return [.integer(NDArray(shape: [extents.count], elements: extents))]
    }

    /// Extents that are not asked for may change freely. A cut of the others changes what this node says: nearly
    /// always the target of a reshape, which then follows by itself.
    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let rank = signature.inputShape(0).rank
        let asked = axes(rank: rank)
        for axis in 0..<rank {
            if asked.contains(axis) {
                links.measured.append(.input(0, axis: axis))
            } else {
                links.free.append(.input(0, axis: axis))
            }
        }
        return links
    }
}
