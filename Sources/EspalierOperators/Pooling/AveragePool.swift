import EspalierGraphs
import EspalierTensors

/// The mean of what each window sees; padding counts as zeros if `count_include_pad` says so.
package struct AveragePool: WindowedPooling {
    package static let schemas = [OperatorSchema("AveragePool")]

    let windowAttributes: WindowAttributes
    let countsPadding: Bool

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        windowAttributes = try WindowAttributes(attributes, pools: true)
        guard windowAttributes.kernelShape != nil else { throw .missingAttribute("kernel_shape") }
        countsPadding = try attributes.bool("count_include_pad", default: false)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard input.dtype.isFloatingPoint else { throw .input(0, problem: "a mean of \(input.dtype)") }
        return [ValueFacts(dtype: input.dtype, shape: try pooledShape(input.shape))]
    }

    package func reference<Real: ReferenceReal>(
        _ call: ReferenceCall<Real>
    ) throws(OperatorError) -> [ReferenceValue<Real>] {
        let input = try call.real(0)
        let positions = try WindowPositions(windows(input.shape))
        let shape = try pooledShape(input.shape)
        var means: [Real] = []
        let planes = positions.planeCount == 0 ? 0 : input.elements.count / positions.planeCount
        for plane in 0..<planes {
            positions.forEachWindow { window, seen in
                var sum: Real = 0
                for position in seen { sum += input.elements[plane * positions.planeCount + position] }
                means.append(sum / Real(countsPadding ? positions.paddedCounts[window] : seen.count))
            }
        }
        return [.real(NDArray(shape: shape, elements: means))]
    }
}

// MARK: - Bounds

extension AveragePool: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        guard scale == nil else { throw .unsupported("a scale of pooled channels") }
        let windows = try windows(signature.inputShape(0))
        let positions = try WindowPositions(windows)
        var factors: [Double] = []
        positions.forEachWindow { window, seen in
            let count = countsPadding ? positions.paddedCounts[window] : seen.count
            factors.append(count == 0 ? 0 : 1 / Double(count))
        }
        // Every channel of every sample is a block of its own.
        return .convolution(
            ConvolutionMap(
                groups: 1, groupInputs: 1, windows: windows,
                weights: [Double](repeating: 1, count: windows.kernel.reduce(1, *)), positionScales: factors))
    }
}

extension AveragePool: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        let windows = try windows(signature.inputShape(0))
        let isPadded = windows.axes.contains { $0.paddingBefore > 0 || $0.reachedPaddingAfter > 0 }
        return .affine(
            // What the sum is divided by differs at padded borders.
            AffinePropagation(
                isPadded ? .sample : .windows(windows), roundings: windows.kernel.reduce(1, *) + 2,
                gradientRoundings: windows.kernel.reduce(1, *) + 2))
    }
}
