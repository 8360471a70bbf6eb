import COneDNN
import EspalierTensors

extension DNNPrimitive {
    /// A function of every element: `.source` to `.destination`, which may be the same memory.
    ///
    /// - Throws: `DNNError` of reason `.unsupported` where this version of oneDNN lacks the function.
    package static func elementwise(
        _ function: DNNElementwise, training: Bool = false, gradientFromResult: Bool = false,
        source: DNNLayout, postOperations: [DNNPostOperation] = []
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = function.describe(gradientFromResult: gradientFromResult)
            description.training = training
            description.source = scope.describe(.layout(source))
            description.destination = scope.describe(.any(source.shape))
            description.post_ops = scope.describe(postOperations)
            return espalier_dnn_eltwise_forward(&description)
        }
    }

    /// The gradient of such a function: `.source` (or `.destination`, if `gradientFromResult`) and
    /// `.destinationGradient` to `.sourceGradient`. `forward` must have been made with the same `gradientFromResult`.
    package static func elementwiseGradient(
        _ function: DNNElementwise, forward: DNNPrimitive, gradientFromResult: Bool = false,
        gradients: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        let shape = try forward.layout(of: .source).shape
        return try makePrimitive { scope throws(DNNError) in
            var description = function.describe(gradientFromResult: gradientFromResult)
            description.training = true
            description.source = scope.describe(gradients, or: shape)
            description.destination = scope.describe(gradients, or: shape)
            return espalier_dnn_eltwise_backward(&description, forward.handle)
        }
    }

    /// A function of two tensors: `.source`, `.secondSource` to `.destination`.
    ///
    /// Both have the same rank, and the second one broadcasts along its axes of extent 1: pad with leading ones, and
    /// swap the operands if it is the first one that must broadcast.
    package static func binary(
        _ function: DNNBinary, source: DNNLayout, secondSource: DNNOperand, destination: DNNLayout? = nil,
        postOperations: [DNNPostOperation] = []
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = espalier_dnn_binary()
            description.kind = function.code
            description.left = scope.describe(.layout(source))
            description.right = scope.describe(secondSource)
            description.destination = scope.describe(destination, or: source.shape)
            description.post_ops = scope.describe(postOperations)
            return espalier_dnn_binary_forward(&description)
        }
    }

    package enum Reduction: Sendable, Hashable, CaseIterable {
        case sum, mean, maximum, minimum
    }

    /// Reduces `axes`, which stay with extent 1: `.source` to `.destination`.
    package static func reduction(
        _ kind: Reduction, source: DNNLayout, axes: [Int], destination: DNNLayout? = nil,
        postOperations: [DNNPostOperation] = []
    ) throws(DNNError) -> DNNPrimitive {
        var reduced = source.shape
        for axis in axes {
            guard (0..<reduced.rank).contains(axis) else {
                throw DNNError(.invalid, "reduction of \(source.shape) along axis \(axis)")
            }
            reduced[axis] = 1
        }
        try check(destination, is: reduced, "destination")
        return try makePrimitive { scope throws(DNNError) in
            var description = espalier_dnn_reduction()
            description.kind =
                switch kind {
                case .sum: ESPALIER_DNN_REDUCTION_SUM
                case .mean: ESPALIER_DNN_REDUCTION_MEAN
                case .maximum: ESPALIER_DNN_REDUCTION_MAXIMUM
                case .minimum: ESPALIER_DNN_REDUCTION_MINIMUM
                }
            description.source = scope.describe(.layout(source))
            description.destination = scope.describe(destination, or: reduced)
            description.post_ops = scope.describe(postOperations)
            return espalier_dnn_reduction_forward(&description)
        }
    }

    /// Softmax along `axis`, or its logarithm: `.source` to `.destination`.
    package static func softmax(
        axis: Int, logarithm: Bool = false, training: Bool = false, source: DNNLayout,
        destination: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        try check(destination, is: source.shape, "destination")
        return try makePrimitive { scope throws(DNNError) in
            var description = espalier_dnn_softmax()
            description.training = training
            description.logarithm = logarithm
            description.axis = Int32(axis)
            description.source = scope.describe(.layout(source))
            description.destination = scope.describe(destination, or: source.shape)
            return espalier_dnn_softmax_forward(&description)
        }
    }

    /// The gradient of a softmax's source: `.destination`, `.destinationGradient` to `.sourceGradient`.
    package static func softmaxGradient(
        axis: Int, logarithm: Bool = false, forward: DNNPrimitive, sourceGradient: DNNLayout? = nil,
        destinationGradient: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        let shape = try forward.layout(of: .destination).shape
        return try makePrimitive { scope throws(DNNError) in
            var description = espalier_dnn_softmax()
            description.training = true
            description.logarithm = logarithm
            description.axis = Int32(axis)
            description.source = scope.describe(sourceGradient, or: shape)
            description.destination = scope.describe(destinationGradient, or: shape)
            return espalier_dnn_softmax_backward(&description, forward.handle)
        }
    }
}

extension DNNElementwise {
    fileprivate func describe(gradientFromResult: Bool) -> espalier_dnn_eltwise {
        var description = espalier_dnn_eltwise()
        description.kind = kind.code
        description.alpha = alpha
        description.beta = beta
        description.backward_uses_destination = gradientFromResult
        return description
    }
}
