import COneDNN
package import EspalierTensors

/// The geometry of a pooling with 1 to 3 spatial axes.
package struct DNNPooling: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case maximum
        case averageIncludingPadding
        case averageExcludingPadding
    }

    package var kind: Kind
    /// N x C x spatial.
    package var source: Shape
    package var kernel: [Int]
    package var strides: [Int]
    /// 1: neighbouring elements.
    package var dilations: [Int]
    package var paddingBegin: [Int]
    /// For a partial last window (ONNX `ceil_mode`) enlarge it.
    package var paddingEnd: [Int]

    /// Vectors that are left out are filled with 1 (strides, dilations) and 0 (padding).
    ///
    /// - Throws: `DNNError` if the extents do not fit each other, or the kernel does not fit the padded source.
    package init(
        _ kind: Kind, source: Shape, kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil,
        paddingBegin: [Int]? = nil, paddingEnd: [Int]? = nil
    ) throws(DNNError) {
        let rank = source.rank - 2
        self.kind = kind
        self.source = source
        self.kernel = kernel
        self.strides = strides ?? [Int](repeating: 1, count: max(rank, 0))
        self.dilations = dilations ?? [Int](repeating: 1, count: max(rank, 0))
        self.paddingBegin = paddingBegin ?? [Int](repeating: 0, count: max(rank, 0))
        self.paddingEnd = paddingEnd ?? [Int](repeating: 0, count: max(rank, 0))
        guard (1...3).contains(rank),
            [kernel, self.strides, self.dilations, self.paddingBegin, self.paddingEnd]
                .allSatisfy({ $0.count == rank })
        else { throw DNNError(.invalid, "pooling of \(source) by \(kernel): ranks do not agree") }
        guard kernel.allSatisfy({ $0 > 0 }), self.strides.allSatisfy({ $0 > 0 }),
            self.dilations.allSatisfy({ $0 > 0 }), destination.extents.dropFirst(2).allSatisfy({ $0 > 0 })
        else { throw DNNError(.invalid, "pooling of \(source) by \(kernel): the kernel does not fit") }
    }

    /// N x C x spatial.
    package var destination: Shape {
        var result = source
        for axis in 0..<(source.rank - 2) {
            result[axis + 2] = windowCount(
                extent: source[axis + 2], kernel: kernel[axis], stride: strides[axis],
                dilation: dilations[axis], padding: paddingBegin[axis] + paddingEnd[axis])
        }
        return result
    }
}

extension DNNPrimitive {
    /// Pooling: `.source` to `.destination` and, for maximum pooling in training, `.workspace`.
    package static func pooling(
        _ pooling: DNNPooling, training: Bool = false, source: DNNLayout, destination: DNNLayout? = nil,
        postOperations: [DNNPostOperation] = []
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = try pooling.describe(in: scope, source: source, destination: destination)
            description.training = training
            description.post_ops = scope.describe(postOperations)
            return espalier_dnn_pooling_forward(&description)
        }
    }

    /// The gradient of a pooling's source: `.destinationGradient` and, for maximum pooling, the forward pass'
    /// `.workspace` to `.sourceGradient`.
    package static func poolingGradient(
        _ pooling: DNNPooling, forward: DNNPrimitive, sourceGradient: DNNLayout? = nil,
        destinationGradient: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = try pooling.describe(
                in: scope, source: sourceGradient, destination: destinationGradient)
            return espalier_dnn_pooling_backward(&description, forward.handle)
        }
    }
}

extension DNNPooling {
    fileprivate func describe(
        in scope: OperandScope, source: DNNLayout?, destination: DNNLayout?
    ) throws(DNNError) -> espalier_dnn_pooling {
        try check(source, is: self.source, "source")
        try check(destination, is: self.destination, "destination")
        var description = espalier_dnn_pooling()
        description.kind =
            switch kind {
            case .maximum: ESPALIER_DNN_POOLING_MAXIMUM
            case .averageIncludingPadding: ESPALIER_DNN_POOLING_AVERAGE_INCLUDING_PADDING
            case .averageExcludingPadding: ESPALIER_DNN_POOLING_AVERAGE_EXCLUDING_PADDING
            }
        description.source = scope.describe(source, or: self.source)
        description.destination = scope.describe(destination, or: self.destination)
        description.kernel = spatialVector(kernel, filler: 1)
        description.strides = spatialVector(strides, filler: 1)
        description.dilations = spatialVector(dilations, filler: 1)
        description.padding_begin = spatialVector(paddingBegin, filler: 0)
        description.padding_end = spatialVector(paddingEnd, filler: 0)
        return description
    }
}
