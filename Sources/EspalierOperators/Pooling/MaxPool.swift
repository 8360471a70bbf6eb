import EspalierGraphs
import EspalierTensors

/// The largest element that each window sees and, as a second output, where it is.
package struct MaxPool: WindowedPooling {
    package static let schemas = [OperatorSchema("MaxPool")]

    let windowAttributes: WindowAttributes
    /// Whether indices count the first spatial axis fastest.
    private let isColumnMajor: Bool

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        windowAttributes = try WindowAttributes(attributes, pools: true)
        guard windowAttributes.kernelShape != nil else { throw .missingAttribute("kernel_shape") }
        isColumnMajor = try attributes.bool("storage_order", default: false)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype != .bool else { throw .input(0, problem: "booleans have no order") }
        let shape = try pooledShape(input.shape)
        let values = ValueFacts(dtype: input.dtype, shape: shape)
        return inputs.outputCount > 1 ? [values, ValueFacts(dtype: .int64, shape: shape)] : [values]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let value = try call.value(0)
        let windows = try windows(value.shape)
        let positions = try WindowPositions(windows)
        let shape = try pooledShape(value.shape)
        // Below anything that may be compared: what a window without elements gives, as in ONNX Runtime.
        switch value {
        case .real(let array):
            let (best, indices) = Self.pool(
                array.elements, positions, lowest: -Real.greatestFiniteMagnitude)
            return [
                .real(NDArray(shape: shape, elements: best)),
                .integer(NDArray(shape: shape, elements: indices.map { index($0, windows) })),
            ].prefix(call.outputs.count).map { $0 }
        case .integer(let array):
            let (best, indices) = Self.pool(array.elements, positions, lowest: Int64.min)
            return [
                .integer(NDArray(shape: shape, elements: best)),
                .integer(NDArray(shape: shape, elements: indices.map { index($0, windows) })),
            ].prefix(call.outputs.count).map { $0 }
        case .unsigned(let array):
            // A wider type has a number below all of them.
            let (best, indices) = Self.pool(array.elements.map { Int128($0) }, positions, lowest: -1)
            return [
                .unsigned(NDArray(shape: shape, elements: best.map { UInt64(clamping: $0) })),
                .integer(NDArray(shape: shape, elements: indices.map { index($0, windows) })),
            ].prefix(call.outputs.count).map { $0 }
        case .boolean: throw .input(0, problem: "booleans have no order")
        }
    }

    private static func pool<Element: Comparable>(
        _ elements: [Element], _ positions: WindowPositions, lowest: Element
    ) -> (best: [Element], indices: [Int]) {
        var best: [Element] = []
        var indices: [Int] = []
        let planes = positions.planeCount == 0 ? 0 : elements.count / positions.planeCount
        for plane in 0..<planes {
            positions.forEachWindow { _, seen in
                var (largest, place) = (lowest, -1)
                for position in seen where elements[plane * positions.planeCount + position] > largest {
                    place = plane * positions.planeCount + position
                    largest = elements[place]
                }
                best.append(largest)
                indices.append(place)
            }
        }
        return (best, indices)
    }

    /// The number that the second output gives for the element at `place` of the flattened input.
    private func index(_ place: Int, _ windows: Windows) -> Int64 {
        guard isColumnMajor, place >= 0 else { return Int64(place) }
        let plane = Shape(windows.axes.map(\.input))
        let start = place / plane.count * plane.count
        var rest = place - start
        var (result, stride) = (0, 1)
        let strides = plane.strides
        for axis in 0..<plane.rank {
            result += rest / strides[axis] * stride
            rest %= strides[axis]
            stride *= plane[axis]
        }
        return Int64(start + result)
    }
}

// MARK: - Bounds

extension MaxPool: LipschitzBounding {
    /// A maximum moves no further than what it is taken of, and an element moves as many of them as windows cover it.
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        var most = 1
        for axis in try windows(signature.inputShape(0)).axes {
            var coverings = [Int](repeating: 0, count: axis.input)
            for output in 0..<axis.output {
                for tap in axis.taps(at: output) { coverings[axis.position(output: output, tap: tap)] += 1 }
            }
            most *= coverings.max() ?? 0
        }
        return LipschitzRule(.sum, [0: norm.stretch(copies: most)])
    }
}

extension MaxPool: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        .maximum(try windows(signature.inputShape(0)))
    }
}
