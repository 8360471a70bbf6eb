import COneDNN
package import EspalierTensors

/// The geometry of a convolution with 1 to 3 spatial axes.
package struct DNNConvolution: Sendable, Hashable {
    /// N x C x spatial.
    package var source: Shape
    /// O x C/groups x kernel, as in ONNX.
    package var weights: Shape
    package var groups: Int
    package var strides: [Int]
    /// 1: neighbouring elements.
    package var dilations: [Int]
    package var paddingBegin: [Int]
    package var paddingEnd: [Int]

    /// Vectors that are left out are filled with 1 (strides, dilations) and 0 (padding).
    ///
    /// - Throws: `DNNError` if the extents do not fit each other, or the kernel does not fit the padded source.
    package init(
        source: Shape, weights: Shape, groups: Int = 1, strides: [Int]? = nil, dilations: [Int]? = nil,
        paddingBegin: [Int]? = nil, paddingEnd: [Int]? = nil
    ) throws(DNNError) {
        let rank = source.rank - 2
        self.source = source
        self.weights = weights
        self.groups = groups
        self.strides = strides ?? [Int](repeating: 1, count: max(rank, 0))
        self.dilations = dilations ?? [Int](repeating: 1, count: max(rank, 0))
        self.paddingBegin = paddingBegin ?? [Int](repeating: 0, count: max(rank, 0))
        self.paddingEnd = paddingEnd ?? [Int](repeating: 0, count: max(rank, 0))
        guard (1...3).contains(rank), weights.rank == source.rank, groups > 0,
            [self.strides, self.dilations, self.paddingBegin, self.paddingEnd].allSatisfy({ $0.count == rank }
            )
        else { throw DNNError(.invalid, "convolution of \(source) by \(weights): ranks do not agree") }
        guard weights[1] * groups == source[1], weights[0] % groups == 0 else {
            throw DNNError(.invalid, "convolution of \(source) by \(weights) in \(groups) groups")
        }
        guard self.strides.allSatisfy({ $0 > 0 }), self.dilations.allSatisfy({ $0 > 0 }),
            destination.extents.dropFirst(2).allSatisfy({ $0 > 0 })
        else {
            throw DNNError(.invalid, "convolution of \(source) by \(weights): the kernel does not fit")
        }
    }

    /// N x O x spatial.
    package var destination: Shape {
        var result = source
        result[1] = weights[0]
        for axis in 0..<(source.rank - 2) {
            result[axis + 2] = windowCount(
                extent: source[axis + 2], kernel: weights[axis + 2], stride: strides[axis],
                dilation: dilations[axis], padding: paddingBegin[axis] + paddingEnd[axis])
        }
        return result
    }

    /// The extents that layouts of the weights and their gradient have: with groups, groups x O/groups x C/groups x
    /// kernel, the same bytes in row-major order.
    package var groupedWeights: Shape {
        guard groups > 1 else { return weights }
        return Shape([groups, weights[0] / groups] + weights.extents.dropFirst())
    }
}

/// The number of places that a window of `kernel` elements `dilation` apart takes, `stride` apart.
func windowCount(extent: Int, kernel: Int, stride: Int, dilation: Int, padding: Int) -> Int {
    let room = extent + padding - ((kernel - 1) * dilation + 1)
    return room < 0 ? 0 : room / Swift.max(stride, 1) + 1
}

/// How a convolution is computed.
package enum DNNConvolutionAlgorithm: Sendable, Hashable {
    case direct
    /// Winograd's minimal filtering of tiles (Lavin & Gray 2016): fewer multiplications, larger rounding errors. Few geometries,
    /// layouts and machines have it; the others are refused as ``DNNError/Reason/unsupported``.
    case winograd
}

extension DNNPrimitive {
    /// A convolution: `.source`, `.weights`, `.bias` to `.destination`, and `.postOperand`s.
    ///
    /// - Parameters:
    ///   - training: whether its gradients will be wanted.
    ///   - weights: a layout of `convolution.groupedWeights`, with elements of the source's type.
    ///   - source, weights, destination: nil lets oneDNN choose.
    package static func convolution(
        _ convolution: DNNConvolution, bias: Bool, training: Bool = false,
        algorithm: DNNConvolutionAlgorithm = .direct, source: DNNLayout? = nil, weights: DNNLayout? = nil,
        destination: DNNLayout? = nil, postOperations: [DNNPostOperation] = []
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = try convolution.describe(
                in: scope, algorithm, source: source, weights: weights, bias: bias, destination: destination)
            description.training = training
            description.post_ops = scope.describe(postOperations)
            return espalier_dnn_convolution_forward(&description)
        }
    }

    /// The gradient of a convolution's source: `.weights`, `.destinationGradient` to `.sourceGradient`.
    package static func convolutionSourceGradient(
        _ convolution: DNNConvolution, forward: DNNPrimitive, algorithm: DNNConvolutionAlgorithm = .direct,
        sourceGradient: DNNLayout? = nil, weights: DNNLayout? = nil, destinationGradient: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = try convolution.describe(
                in: scope, algorithm, source: sourceGradient, weights: weights, bias: false,
                destination: destinationGradient)
            return espalier_dnn_convolution_backward_data(&description, forward.handle)
        }
    }

    /// The gradient of a convolution's weights: `.source`, `.destinationGradient` to `.weightsGradient` and, with
    /// `bias`, `.biasGradient`.
    package static func convolutionWeightsGradient(
        _ convolution: DNNConvolution, bias: Bool, forward: DNNPrimitive,
        algorithm: DNNConvolutionAlgorithm = .direct, source: DNNLayout? = nil,
        weightsGradient: DNNLayout? = nil, destinationGradient: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = try convolution.describe(
                in: scope, algorithm, source: source, weights: weightsGradient, bias: bias,
                destination: destinationGradient)
            return espalier_dnn_convolution_backward_weights(&description, forward.handle)
        }
    }
}

extension DNNConvolution {
    fileprivate func describe(
        in scope: OperandScope, _ algorithm: DNNConvolutionAlgorithm, source: DNNLayout?, weights: DNNLayout?,
        bias: Bool, destination: DNNLayout?
    ) throws(DNNError) -> espalier_dnn_convolution {
        try check(source, is: self.source, "source")
        try check(weights, is: groupedWeights, "weights")
        try check(destination, is: self.destination, "destination")
        var description = espalier_dnn_convolution()
        description.algorithm =
            algorithm == .winograd ? ESPALIER_DNN_CONVOLUTION_WINOGRAD : ESPALIER_DNN_CONVOLUTION_DIRECT
        description.source = scope.describe(source, or: self.source)
        description.weights = scope.describe(
            weights, or: groupedWeights, source?.element ?? .float32)
        description.bias =
            bias ? scope.describe(try .plain([self.weights[0]]), or: [self.weights[0]]) : OperandScope.absent
        description.destination = scope.describe(destination, or: self.destination)
        description.strides = spatialVector(strides, filler: 1)
        description.dilations = spatialVector(dilations, filler: 1)
        description.padding_begin = spatialVector(paddingBegin, filler: 0)
        description.padding_end = spatialVector(paddingEnd, filler: 0)
        return description
    }
}

/// Refuses a layout of other extents than the geometry's, which oneDNN would report in its own terms or not at all.
func check(_ layout: DNNLayout?, is shape: Shape, _ role: String) throws(DNNError) {
    guard let layout, layout.shape != shape else { return }
    throw DNNError(.invalid, "the \(role) has the layout \(layout), but its extents are \(shape)")
}
