import EspalierGraphs
import EspalierTensors

/// Drops axes of extent 1: those named, or all.
package struct Squeeze: ReshapingOperator {
    package static let schemas = [OperatorSchema("Squeeze")]

    private let axes: AxesArgument
    private let opsetVersion: Int

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        axes = try AxesArgument(attributes, port: 1)
        opsetVersion = attributes.opsetVersion
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        let dropped = try axes.resolved(inputs, rank: input.shape.rank) ?? Self.allOnes(input.shape)
        for axis in dropped where input.shape[axis] != 1 {
            throw .shapes("axis \(axis) of \(input.shape) is not of extent 1")
        }
        let kept = (0..<input.shape.rank).filter { !dropped.contains($0) }
        return [ValueFacts(dtype: input.dtype, shape: Shape(kept.map { input.shape[$0] }))]
    }

    private static func allOnes(_ shape: Shape) -> [Int] {
        (0..<shape.rank).filter { shape[$0] == 1 }
    }

    private func kept(_ signature: Signature) -> [Int] {
        let shape = signature.inputShape(0)
        let dropped = axes.resolved(signature, rank: shape.rank) ?? Self.allOnes(shape)
        return (0..<shape.rank).filter { !dropped.contains($0) }
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        for (position, axis) in kept(signature).enumerated() {
            links.link(.input(0, axis: axis), .output(0, axis: position))
        }
        return links
    }

    /// A node that names no axes would drop an axis that a cut leaves with one element; it must name them then.
    package func resized(by cut: AxisCut, signature: Signature) throws(OperatorError) -> NodeEdits {
        var edits = NodeEdits()
        let shape = signature.inputShape(0)
        let leavesOne = kept(signature).contains { cut[.input(0, axis: $0)]?.count == 1 }
        guard axes.resolved(signature, rank: shape.rank) == nil, leavesOne else { return edits }
        let dropped = Self.allOnes(shape).map { Int64($0) }
        if opsetVersion < 13 {
            edits.attributes["axes"] = .ints(dropped)
        } else {
            edits.constants[1] = Tensor(shape: [dropped.count], scalars: dropped)
        }
        return edits
    }
}
