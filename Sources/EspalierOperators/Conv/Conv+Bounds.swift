import EspalierTensors

extension Conv: AffineMapping {
    package func linearMap(
        of port: Int, scalingChannels scale: [Double]?, _ signature: Signature
    ) throws(OperatorError) -> LinearMap {
        guard port == 0 else { throw .unsupported("filters that depend on the network's input") }
        let geometry = try geometry(input: signature.inputShape(0), weight: signature.inputShape(1))
        var weights = try signature.requireConstant(1)
        if let scale {
            let filter = geometry.groupInputs * geometry.kernelPositions
            for index in weights.indices { weights[index] *= scale[index / filter] }
        }
        return .convolution(
            ConvolutionMap(
                groups: groups, groupInputs: geometry.groupInputs, windows: geometry.windows, weights: weights
            ))
    }
}

extension Conv: BoundPropagating {
    package func boundPropagation(
        varying: Set<Int>, _ signature: Signature
    ) throws(OperatorError) -> BoundPropagation {
        guard varying == [0] else { throw .unsupported("filters that depend on the network's input") }
        let geometry = try geometry(input: signature.inputShape(0), weight: signature.inputShape(1))
        return .affine(
            AffinePropagation(
                .windows(geometry.windows), factors: [1], addends: [2: 1],
                roundings: geometry.kernelPositions * geometry.groupInputs + 2,
                gradientRoundings: geometry.kernelPositions * signature.outputShape()[1] / groups + 2))
    }
}
