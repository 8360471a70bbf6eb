import COneDNN
import EspalierTensors

/// What a batch or layer normalisation does beside centring and scaling by the statistics.
package struct DNNNormalization: Sendable, Hashable {
    /// Whether `.mean` and `.variance` are inputs and constants (inference; frozen training) rather than computed.
    package var givenStatistics: Bool
    /// Whether `.scale` multiplies the result.
    package var scale: Bool
    /// Whether `.shift` is added after that.
    package var shift: Bool
    /// Whether negative results become zero (batch normalisation only). In training, `.workspace` tells the backward
    /// pass which did.
    package var relu: Bool
    /// Added to the variance.
    package var epsilon: Float

    package init(
        givenStatistics: Bool, scale: Bool = true, shift: Bool = true, relu: Bool = false,
        epsilon: Float = 1e-5
    ) {
        self.givenStatistics = givenStatistics
        self.scale = scale
        self.shift = shift
        self.relu = relu
        self.epsilon = epsilon
    }
}

extension DNNPrimitive {
    /// Batch normalisation of N x C [x spatial]: `.source`, `.scale`, `.shift` to `.destination`.
    ///
    /// `.mean` and `.variance` (of C elements; the variance is the biased one) are inputs if given, and else outputs if
    /// `training`; in inference with computed statistics there are none. Source and destination have one layout.
    package static func batchNormalization(
        _ normalization: DNNNormalization, training: Bool = false, source: DNNLayout
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = normalization.describeBatch(
                in: scope, source: .layout(source), destination: .any(source.shape))
            description.training = training
            return espalier_dnn_batch_normalization_forward(&description)
        }
    }

    /// The gradients of a batch normalisation: `.source`, `.mean`, `.variance`, `.scale`, `.destinationGradient` and
    /// with relu `.workspace` to `.sourceGradient`, `.scaleGradient`, `.shiftGradient`.
    ///
    /// Both gradients have one layout, by default whichever oneDNN likes.
    package static func batchNormalizationGradient(
        _ normalization: DNNNormalization, forward: DNNPrimitive, gradients: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        let shape = try forward.layout(of: .source).shape
        return try makePrimitive { scope throws(DNNError) in
            let operand = DNNOperand(gradients, or: shape)
            var description = normalization.describeBatch(in: scope, source: operand, destination: operand)
            description.training = true
            return espalier_dnn_batch_normalization_backward(&description, forward.handle)
        }
    }

    /// Layer normalisation along the last axis: `.source`, `.scale`, `.shift` to `.destination`.
    ///
    /// `.mean` and `.variance` have the extents of all other axes, in row-major order; they are inputs, outputs or
    /// absent as for ``batchNormalization(_:training:source:)``.
    package static func layerNormalization(
        _ normalization: DNNNormalization, training: Bool = false, source: DNNLayout
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = try normalization.describeLayer(
                in: scope, source: .layout(source), destination: .any(source.shape))
            description.training = training
            return espalier_dnn_layer_normalization_forward(&description)
        }
    }

    /// The gradients of a layer normalisation, with arguments as for
    /// ``batchNormalizationGradient(_:forward:gradients:)``.
    package static func layerNormalizationGradient(
        _ normalization: DNNNormalization, forward: DNNPrimitive, gradients: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        let shape = try forward.layout(of: .source).shape
        return try makePrimitive { scope throws(DNNError) in
            let operand = DNNOperand(gradients, or: shape)
            var description = try normalization.describeLayer(
                in: scope, source: operand, destination: operand)
            description.training = true
            return espalier_dnn_layer_normalization_backward(&description, forward.handle)
        }
    }
}

extension DNNNormalization {
    fileprivate func describeBatch(
        in scope: OperandScope, source: DNNOperand, destination: DNNOperand
    ) -> espalier_dnn_batch_normalization {
        var description = espalier_dnn_batch_normalization()
        description.given_statistics = givenStatistics
        description.scale = scale
        description.shift = shift
        description.relu = relu
        description.epsilon = epsilon
        description.source = scope.describe(source)
        description.destination = scope.describe(destination)
        return description
    }

    fileprivate func describeLayer(
        in scope: OperandScope, source: DNNOperand, destination: DNNOperand
    ) throws(DNNError) -> espalier_dnn_layer_normalization {
        guard !relu else { throw DNNError(.unsupported, "layer normalisation has no fused relu") }
        var description = espalier_dnn_layer_normalization()
        description.given_statistics = givenStatistics
        description.scale = scale
        description.shift = shift
        description.epsilon = epsilon
        description.source = scope.describe(source)
        description.destination = scope.describe(destination)
        return description
    }
}
