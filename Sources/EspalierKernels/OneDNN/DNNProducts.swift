import COneDNN
import EspalierTensors

extension DNNPrimitive {
    /// The product of every sample with every row of the weights: `.source` N x C [x spatial], `.weights` O x C
    /// [x spatial], `.bias` O to `.destination` N x O, and `.postOperand`s.
    ///
    /// It reads the blocked result of a convolution as it is: no flattening in between.
    package static func innerProduct(
        source: DNNOperand, weights: DNNOperand, bias: Bool, training: Bool = false,
        destination: DNNLayout? = nil, postOperations: [DNNPostOperation] = []
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = try innerProduct(
                in: scope, source: source, weights: weights, bias: bias, destination: destination)
            description.training = training
            description.post_ops = scope.describe(postOperations)
            return espalier_dnn_inner_product_forward(&description)
        }
    }

    /// The gradient of an inner product's source: `.weights`, `.destinationGradient` to `.sourceGradient`.
    package static func innerProductSourceGradient(
        forward: DNNPrimitive, sourceGradient: DNNOperand, weights: DNNOperand,
        destinationGradient: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = try innerProduct(
                in: scope, source: sourceGradient, weights: weights, bias: false,
                destination: destinationGradient)
            return espalier_dnn_inner_product_backward_data(&description, forward.handle)
        }
    }

    /// The gradient of an inner product's weights: `.source`, `.destinationGradient` to `.weightsGradient` and, with
    /// `bias`, `.biasGradient`.
    package static func innerProductWeightsGradient(
        forward: DNNPrimitive, source: DNNOperand, weightsGradient: DNNOperand, bias: Bool,
        destinationGradient: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = try innerProduct(
                in: scope, source: source, weights: weightsGradient, bias: bias,
                destination: destinationGradient)
            return espalier_dnn_inner_product_backward_weights(&description, forward.handle)
        }
    }

    private static func innerProduct(
        in scope: OperandScope, source: DNNOperand, weights: DNNOperand, bias: Bool, destination: DNNLayout?
    ) throws(DNNError) -> espalier_dnn_inner_product {
        guard source.shape.rank >= 2, source.shape.extents.dropFirst() == weights.shape.extents.dropFirst()
        else { throw DNNError(.invalid, "inner product of \(source.shape) with \(weights.shape)") }
        let result: Shape = [source.shape[0], weights.shape[0]]
        try check(destination, is: result, "destination")
        var description = espalier_dnn_inner_product()
        description.source = scope.describe(source)
        description.weights = scope.describe(weights)
        description.bias =
            bias ? scope.describe(.layout(try .plain([weights.shape[0]]))) : OperandScope.absent
        description.destination = scope.describe(destination, or: result)
        return description
    }

    /// Matrix multiplication: `.source` [batch x] M x K, `.weights` [batch x] K x N, `.bias` to `.destination`
    /// [batch x] M x N, and `.postOperand`s.
    ///
    /// All have the same rank; batch axes, and the bias' axes, of extent 1 broadcast. A transposed operand is a strided
    /// layout. Gradients are matrix products again.
    package static func matrixProduct(
        source: DNNOperand, weights: DNNOperand, bias: DNNOperand? = nil, destination: DNNOperand,
        postOperations: [DNNPostOperation] = []
    ) throws(DNNError) -> DNNPrimitive {
        try makePrimitive { scope throws(DNNError) in
            var description = espalier_dnn_matmul()
            description.source = scope.describe(source)
            description.weights = scope.describe(weights)
            description.bias = bias.map { scope.describe($0) } ?? OperandScope.absent
            description.destination = scope.describe(destination)
            description.post_ops = scope.describe(postOperations)
            return espalier_dnn_matmul_forward(&description)
        }
    }
}
