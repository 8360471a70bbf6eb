import EspalierGraphs
import EspalierTensors

/// Centres and scales by the mean and standard deviation over all axes from `axis` on, then scales and shifts each
/// element (Ba, Kiros and Hinton 2016). Further outputs are the mean and the inverse of the standard deviation.
package struct LayerNormalization: AxisLinking, Differentiable, Lowering {
    package static let schemas = [OperatorSchema("LayerNormalization", since: 17)]

    private let axis: Int
    let epsilon: Float

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        axis = try attributes.int("axis", default: -1)
        epsilon = try attributes.float("epsilon", default: 1e-5)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype.isFloatingPoint else { throw .input(0, problem: "layer norm of \(input.dtype)") }
        let first = try input.shape.requireAxis(axis)
        let normalized = Shape(Array(input.shape.extents[first...]))
        let scale = try inputs.required(1)
        for (port, facts) in [(1, scale), (2, inputs[2] ?? scale)] {
            guard facts.shape.broadcast(with: normalized) == normalized else {
                throw .input(port, problem: "\(facts.shape) does not fit the axes normalised, \(normalized)")
            }
        }
        let ones = [Int](repeating: 1, count: normalized.rank)
        // `stash_type` says how statistics are kept; ONNX Runtime knows only its default, whatever the input's type is.
        let statistics = ValueFacts(
            dtype: .float32, shape: Shape(Array(input.shape.extents[..<first]) + ones))
        let outputs = [ValueFacts(dtype: input.dtype, shape: input.shape), statistics, statistics]
        return Array(outputs.prefix(max(1, inputs.outputCount)))
    }

    /// Rows, and elements normalised in each.
    func extents(_ shape: Shape) -> (rows: Int, width: Int) {
        let first = shape.normalized(axis: axis) ?? 0
        return (shape.count(0..<first), shape.count(first..<shape.rank))
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let input = try call.real(0)
        let first = try input.shape.requireAxis(axis)
        let normalized = Shape(Array(input.shape.extents[first...]))
        let (rows, width) = extents(input.shape)
        func parameter(_ port: Int) throws(OperatorError) -> [Real] {
            let array = try call.real(port)
            return array.shape.broadcastPositions(in: normalized).map { array.elements[$0] }
        }
        let scale = try parameter(1)
        let shift = call.hasInput(2) ? try parameter(2) : [Real](repeating: 0, count: width)
        var output = input
        var means: [Real] = []
        var inverses: [Real] = []
        for row in 0..<rows {
            let elements = input.elements[(row * width)..<((row + 1) * width)]
            let mean = elements.reduce(0, +) / Real(width)
            let variance = elements.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Real(width)
            let inverse = 1 / (variance + Real(epsilon)).squareRoot()
            for column in 0..<width {
                let centred = input.elements[row * width + column] - mean
                output.elements[row * width + column] = centred * inverse * scale[column] + shift[column]
            }
            means.append(mean)
            inverses.append(inverse)
        }
        var results = [ReferenceValue<Real>.real(output)]
        for (port, statistics) in [means, inverses].enumerated() where call.outputs.count > port + 1 {
            results.append(.real(NDArray(shape: call.outputs[port + 1].shape, elements: statistics)))
        }
        return results
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        var links = AxisLinks()
        let shape = signature.inputShape(0)
        let first = shape.normalized(axis: axis) ?? 0
        for axis in 0..<shape.rank {
            if axis < first {
                for port in signature.outputs.indices {
                    links.link(.input(0, axis: axis), .output(port, axis: axis))
                }
            } else {
                links.frozen.append((.input(0, axis: axis), "layer norm normalises along it"))
            }
        }
        return links
    }
}

// MARK: - Bounds

extension LayerNormalization: LipschitzBounding {
    package func lipschitzRule(
        varying: Set<Int>, in norm: VectorNorm, _ signature: Signature
    ) throws(OperatorError) -> LipschitzRule {
        throw .unsupported("layer normalisation, which is the steeper the less its input varies")
    }
}
