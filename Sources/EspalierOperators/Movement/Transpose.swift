import EspalierGraphs
import EspalierTensors

/// Permutes the axes: output axis k is input axis `perm[k]`; all reversed unless given.
package struct Transpose: MovementOperator {
    package static let schemas = [OperatorSchema("Transpose")]

    private let permutation: [Int]?

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        permutation = try attributes.ints("perm")
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        let permutation = permutation(rank: input.shape.rank)
        guard permutation.sorted() == Array(0..<input.shape.rank) else {
            throw .attribute("perm", problem: "\(permutation) does not permute the axes of \(input.shape)")
        }
        return [ValueFacts(dtype: input.dtype, shape: Shape(permutation.map { input.shape[$0] }))]
    }

    private func permutation(rank: Int) -> [Int] {
        permutation ?? Array((0..<rank).reversed())
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let value = try call.value(0)
        let permutation = permutation(rank: value.shape.rank)
        let output = Shape(permutation.map { value.shape[$0] })
        let strides = value.shape.strides
        var positions: [Int] = []
        output.forEachCoordinate { coordinates in
            positions.append(zip(coordinates, permutation).reduce(0) { $0 + $1.0 * strides[$1.1] })
        }
        return [value.gathered(positions, shape: output)]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        for (position, axis) in permutation(rank: signature.inputShape(0).rank).enumerated() {
            links.link(.input(0, axis: axis), .output(0, axis: position))
        }
        return links
    }

    static let keepsAxes = false

    func move(
        _ signature: Signature, source: [Int], target: [Int]
    ) throws(OperatorError) -> StridedMove {
        let permutation = permutation(rank: signature.inputShape(0).rank)
        return StridedMove(
            extents: signature.outputShape().extents, source: permutation.map { source[$0] }, target: target,
            order: .target)
    }

    func coversOutput(_ signature: Signature) -> Bool { true }
    func coversInput(_ signature: Signature) -> Bool { true }
}
