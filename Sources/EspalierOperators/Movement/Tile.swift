import EspalierGraphs
import EspalierTensors

/// Repeats the whole input along each axis as often as input 1 says.
package struct Tile: AxisLinking {
    package static let schemas = [OperatorSchema("Tile", since: 6)]

    package init(_ attributes: AttributeReader) {}

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard let repeats = try inputs.knownIntegers(1) else { throw .missingInput(1) }
        return [ValueFacts(dtype: input.dtype, shape: try Self.shape(of: input.shape, repeats: repeats))]
    }

    private static func shape(of input: Shape, repeats: [Int]) throws(OperatorError) -> Shape {
        guard repeats.count == input.rank else {
            throw .shapes("\(repeats.count) repetition counts for \(input)")
        }
        var extents: [Int] = []
        for (axis, count) in repeats.enumerated() {
            let (extent, overflow) = input[axis].multipliedReportingOverflow(by: count)
            guard count >= 0, !overflow else { throw .shapes("\(input) repeated \(repeats) times") }
            extents.append(extent)
        }
        return Shape(extents)
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let value = try call.value(0)
        guard let repeats = try call.integers(1) else { throw .missingInput(1) }
        let output = try Self.shape(of: value.shape, repeats: repeats)
        let strides = value.shape.strides
        var positions: [Int] = []
        output.forEachCoordinate { coordinates in
            var position = 0
            for (axis, coordinate) in coordinates.enumerated() {
                position += coordinate % value.shape[axis] * strides[axis]
            }
            positions.append(position)
        }
        return [value.gathered(positions, shape: output)]
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        guard let repeats = signature.constant(1)?.scalars(as: Int64.self) else { return links }
        for (axis, count) in repeats.enumerated() {
            if count == 1 {
                links.link(.input(0, axis: axis), .output(0, axis: axis))
            } else {
                // Cutting an index cuts all its repetitions.
                let map = IndexMap.spread(outer: Int(count), inner: 1)
                if count > 1 { links.link(.input(0, axis: axis), .output(0, axis: axis), map) }
            }
        }
        return links
    }
}

// MARK: - Bounds

extension Tile: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        try movementRule(varying: varying, in: norm, signature)
    }
}
