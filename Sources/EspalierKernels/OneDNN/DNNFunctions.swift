import COneDNN

/// A function of one number.
package struct DNNElementwise: Sendable, Hashable {
    package enum Kind: Sendable, Hashable, CaseIterable {
        case relu, elu, geluErf, geluTanh, tanh, logistic, hardSwish, hardSigmoid, clip
        case abs, sqrt, exp, log, square, linear, pow, swish, mish, round
    }

    package let kind: Kind
    package let alpha: Float
    package let beta: Float

    private init(_ kind: Kind, _ alpha: Float = 0, _ beta: Float = 0) {
        self.kind = kind
        self.alpha = alpha
        self.beta = beta
    }

    /// x where positive, `negativeSlope` x elsewhere.
    package static func relu(negativeSlope: Float = 0) -> Self { Self(.relu, negativeSlope) }
    /// x where positive, alpha (exp x - 1) elsewhere.
    package static func elu(alpha: Float = 1) -> Self { Self(.elu, alpha) }
    package static let geluErf = Self(.geluErf)
    package static let geluTanh = Self(.geluTanh)
    package static let tanh = Self(.tanh)
    /// 1 / (1 + exp(-x)).
    package static let logistic = Self(.logistic)
    /// x clip(x / 6 + 1/2, 0, 1).
    package static let hardSwish = Self(.hardSwish, 1 / 6, 0.5)
    /// clip(alpha x + beta, 0, 1). Unsupported by oneDNN 2.
    package static func hardSigmoid(alpha: Float = 0.2, beta: Float = 0.5) -> Self {
        Self(.hardSigmoid, alpha, beta)
    }
    /// Clips to a range. The derivative is 1 inside and 0 at the ends and beyond.
    package static func clip(_ low: Float, _ high: Float) -> Self { Self(.clip, low, high) }
    package static let abs = Self(.abs)
    package static let sqrt = Self(.sqrt)
    package static let exp = Self(.exp)
    package static let log = Self(.log)
    package static let square = Self(.square)
    package static func linear(scale: Float, shift: Float = 0) -> Self { Self(.linear, scale, shift) }
    /// `scale` x^`exponent`.
    package static func pow(scale: Float = 1, exponent: Float) -> Self { Self(.pow, scale, exponent) }
    /// x / (1 + exp(-alpha x)).
    package static func swish(alpha: Float = 1) -> Self { Self(.swish, alpha) }
    package static let mish = Self(.mish)
    /// To the nearest integer, halves to even. Forward only.
    package static let round = Self(.round)

    /// Whether the gradient can be had from the result instead of the operand, so that the function may run in place.
    package var gradientFromResult: Bool {
        switch kind {
        case .relu, .elu: alpha >= 0
        case .tanh, .sqrt, .logistic, .exp, .clip: true
        default: false
        }
    }
}

extension DNNElementwise.Kind {
    var code: espalier_dnn_eltwise_kind {
        switch self {
        case .relu: ESPALIER_DNN_RELU
        case .elu: ESPALIER_DNN_ELU
        case .geluErf: ESPALIER_DNN_GELU_ERF
        case .geluTanh: ESPALIER_DNN_GELU_TANH
        case .tanh: ESPALIER_DNN_TANH
        case .logistic: ESPALIER_DNN_LOGISTIC
        case .hardSwish: ESPALIER_DNN_HARD_SWISH
        case .hardSigmoid: ESPALIER_DNN_HARD_SIGMOID
        case .clip: ESPALIER_DNN_CLIP
        case .abs: ESPALIER_DNN_ABS
        case .sqrt: ESPALIER_DNN_SQRT
        case .exp: ESPALIER_DNN_EXP
        case .log: ESPALIER_DNN_LOG
        case .square: ESPALIER_DNN_SQUARE
        case .linear: ESPALIER_DNN_LINEAR
        case .pow: ESPALIER_DNN_POW
        case .swish: ESPALIER_DNN_SWISH
        case .mish: ESPALIER_DNN_MISH
        case .round: ESPALIER_DNN_ROUND
        }
    }
}

/// A function of two numbers.
package enum DNNBinary: Sendable, Hashable, CaseIterable {
    case add, subtract, multiply, divide, minimum, maximum

    var code: espalier_dnn_binary_kind {
        switch self {
        case .add: ESPALIER_DNN_ADD
        case .subtract: ESPALIER_DNN_SUB
        case .multiply: ESPALIER_DNN_MUL
        case .divide: ESPALIER_DNN_DIV
        case .minimum: ESPALIER_DNN_MIN
        case .maximum: ESPALIER_DNN_MAX
        }
    }
}

/// An operation fused behind a primitive, applied to its result before that is written. Up to 8 in a row.
package enum DNNPostOperation: Sendable, Hashable {
    case elementwise(DNNElementwise)
    /// Adds `scale` times what the destination held before.
    case accumulate(scale: Float = 1)
    /// Combines with `argument(.postOperand(place in the list))`, which broadcasts along axes of extent 1. Without an
    /// operand given, it has the destination's extents.
    case binary(DNNBinary, DNNOperand? = nil)
}
